"""State of one call kept on a shared object: written, and read back later in the same call.

`self.started = time()` … `time() - self.started`: each call needs its own value, and another thread's call overwrites
it in between. Found on one function's control-flow tree with the effects of what it calls on the same object, so that
`with self:` pairs what `__enter__` stores with what `__exit__` reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from racelint.model.summary import Access, AnyNode, Branch, Call, Loop, Path, Try, With, leaves
from racelint.program.flow.branch_conditions import asserts
from racelint.program.flow.values import nodes_of
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.thread_values import ThreadValues
from racelint.program.sharing.compounds import Compounds
from racelint.program.sharing.effects import Effect, Effects
from racelint.program.sharing.ownership import CONSTRUCTORS
from racelint.program.sharing.shared import SharedAccess

_ENTERING = frozenset({"__enter__", "__aenter__"})
_Written = dict[tuple[Location, Path], Effect]


class CallState(msgspec.Struct, frozen=True):
    """`written` and `read` are effects of one call of `function`, the one before the other."""

    function: FunctionInfo
    written: Effect
    read: Effect


class CallStates:
    """Finds the call states of functions."""

    def __init__(self, effects: Effects, compounds: Compounds, thread_values: ThreadValues) -> None:
        self.effects = effects
        self.compounds = compounds
        self.thread_values = thread_values

    def of(self, function: FunctionInfo) -> list[CallState]:
        """One for each location, in the order of the reads."""
        if function.ir.name in CONSTRUCTORS or function.ir.kind in ("class", "module"):
            return []
        effects = self.effects.of(function)
        if not any(self.is_kept(effect.access) for effect in effects):
            return []
        by_event: dict[int, list[Effect]] = {}
        for effect in effects:
            by_event.setdefault(effect.event, []).append(effect)
        walk = _Walk(self, function, by_event)
        walk.block(function.ir.body, {})
        return list(walk.found.values())

    @staticmethod
    def branches(function: FunctionInfo) -> Iterator[Branch]:
        """The decisions of a function."""
        return (node for node in nodes_of(function.ir.body) if type(node) is Branch)

    def is_kept(self, access: SharedAccess) -> bool:
        """A value of this call: no constant, no copy of what is shared anyway, not stored on first use alone.

        What the thread alone has is its own also where it is stored on first use.
        """
        if access.deed != "write" or access.augmented or access.location.content or not (access.value or access.deps):
            return False
        if self.thread_values.among(access.value, access.function):
            return True
        if any(path[0].startswith(("k:", "g:", "cls:", "fn:")) or len(path) > 1 for path in access.value):
            return False
        return not self.compounds.decides_itself(access)


class _Walk:
    def __init__(self, states: CallStates, function: FunctionInfo, by_event: dict[int, list[Effect]]) -> None:
        self.states = states
        self.function = function
        self.by_event = by_event
        self.asserted = {dep for node in states.branches(function) if asserts(node) for dep in node.deps}
        """Looks that nothing is decided by."""
        self.found: dict[tuple[Location, Path], CallState] = {}

    def block(self, nodes: tuple[AnyNode, ...], written: _Written) -> None:
        """Go through a block; `written` holds what this call has stored so far, and is brought up to date."""
        for node in nodes:
            if isinstance(node, (Access, Call)):
                self._apply(self.by_event.get(node.id, ()), written)
            elif type(node) is Branch:
                self._branch(node, written)
            elif type(node) is Loop:
                for inner in (node.head, node.body, node.orelse):
                    self.block(inner, written)
            elif type(node) is Try:
                for inner in (node.body, *(handler.body for handler in node.handlers), node.orelse, node.final):
                    self.block(inner, written)
            elif type(node) is With:
                effects = self.by_event.get(node.id, [])
                self._apply([e for e in effects if e.through[0].callee.ir.name in _ENTERING], written)
                self.block(node.body, written)
                self._apply([e for e in effects if e.through[0].callee.ir.name not in _ENTERING], written)

    def _branch(self, node: Branch, written: _Written) -> None:
        then, orelse = dict(written), dict(written)
        self.block(node.then, then)
        self.block(node.orelse, orelse)
        written.clear()
        for end, block in ((then, node.then), (orelse, node.orelse)):
            if not leaves(block):
                written.update(end)

    def _apply(self, effects: Iterable[Effect], written: _Written) -> None:
        for effect in effects:
            place = effect.place
            if effect.access.changes:
                if self.states.is_kept(effect.access):
                    written[place] = effect
                else:
                    written.pop(place, None)
            elif place in written and not _by_one_call(written[place], effect) and effect.event not in self.asserted:
                self.found.setdefault(place, CallState(self.function, written[place], effect))


def _by_one_call(left: Effect, right: Effect) -> bool:
    """Both happen inside one call, and are seen where that is looked at."""
    return bool(left.through and right.through) and left.through[0] is right.through[0]
