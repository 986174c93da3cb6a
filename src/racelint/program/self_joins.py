"""Threads that join themselves: what one runs comes, by calls of its own, to its own `join()`, which raises.

Carried up the calls as locks are that a thread takes twice (`taken_twice`): the path of the thread object must be
that of the very object whose method the thread runs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator

import msgspec

from racelint.model.summary import Call, Path
from racelint.program.calls import CallSite
from racelint.program.index import ClassInfo, FunctionInfo
from racelint.program.linker import Program
from racelint.program.loop_callbacks import loop_callbacks
from racelint.program.reached import Reached, reached
from racelint.program.substitution import absolute
from racelint.program.thread_root import ThreadRoot
from racelint.program.walk import is_caught

_EXCUSED = frozenset({"", "g:RuntimeError", "g:Exception", "g:BaseException"})


class Join(msgspec.Struct, frozen=True):
    """A `join()` of a thread of `root`."""

    root: ThreadRoot
    function: FunctionInfo
    call: Call

    @property
    def key(self) -> Hashable:
        return (self.root.id, self.function.id, self.call.id)


class SelfJoin(msgspec.Struct, frozen=True):
    """The thread comes to the join by `chain`, outermost call first."""

    join: Join
    chain: tuple[CallSite, ...]


class SelfJoins:
    """All of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.running = program.takings.running

    def found(self) -> Iterator[SelfJoin]:
        """In the order of the roots, each join once."""
        own: dict[str, list[Reached[Join]]] = {}
        for join in self._joins():
            way = self.running.way(join.function, join.call.id)
            if "*" not in way.asked and not self._is_excused(join.function, join.call.id):
                owner = absolute(join.call.func[0][:-1], join.function, self.program.index)
                entry = Reached(join, owner, (), way.certain, way.given)
                own.setdefault(join.function.id, []).append(entry)
        everywhere = reached(self.running, own, self._is_dropped, self._by_loops()) if own else {}
        seen = set()
        for root in self.program.roots:
            for entry in everywhere.get(root.target.id, ()):
                place = (entry.fact.function.id, entry.fact.call.id)
                if entry.fact.root is root and place not in seen and self._is_own(entry.owner, root):
                    seen.add(place)
                    yield SelfJoin(entry.fact, entry.chain)

    def _by_loops(self) -> dict[str, list[CallSite]]:
        """What loops of libraries call, by the function called."""
        found: dict[str, list[CallSite]] = {}
        for site in loop_callbacks(self.program):
            found.setdefault(site.callee.id, []).append(site)
        return found

    def _joins(self) -> Iterator[Join]:
        for root in self.program.roots:
            if root.kind not in ("thread", "timer"):
                continue
            for function, event in root.joins:
                call = self.program.stores.facts[function.id].call(event)
                if call is not None and call.func and len(call.func[0]) > 1 and call.func[0][-1] == "join":
                    yield Join(root, function, call)
            if root.cls is not None and root.cls.method("join") is None:
                yield from self._of_own_class(root, root.cls)

    def _of_own_class(self, root: ThreadRoot, cls: ClassInfo) -> Iterator[Join]:
        """`self.join()` in a method of the thread's own class."""
        for method in (method for base in cls.mro for _, method in base.own_methods()):
            for call in self.program.stores.facts[method.id].calls:
                if call.func[:1] == ((f"p:{method.self_name}", "join"),):
                    yield Join(root, method, call)

    def _is_dropped(self, entry: Reached[Join], site: CallSite) -> bool:
        """The way there led over a question which thread this is, or the error is caught."""
        asked = "*" in self.running.way(site.caller, site.event).asked
        return asked or self._is_excused(site.caller, site.event)

    def _is_excused(self, function: FunctionInfo, event: int) -> bool:
        """Whether what the event raises is caught as `RuntimeError`."""
        return is_caught(self.program.stores.facts[function.id].nodes, event, _EXCUSED)

    def _is_own(self, owner: Path | None, root: ThreadRoot) -> bool:
        """Whether the path, as the thread's target sees it, is the thread that runs it."""
        if not owner or owner[0] != f"p:{root.target.self_name}":
            return False
        if root.cls is not None:
            return len(owner) == 1
        starter, site = root.site_function, root.site
        if starter is None or site is None or root.receiver != (f"p:{starter.self_name}",):
            return False
        stored = self.program.stores.facts[starter.id].accesses
        made: Path = (f"c:{site.id}",)
        return any(
            access.kind == "write" and made in access.value and access.path == (*root.receiver, *owner[1:])
            for access in stored
        )
