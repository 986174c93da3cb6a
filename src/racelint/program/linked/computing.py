"""Which functions only compute: loops and arithmetic, no waiting, no input or output, no locks."""

from __future__ import annotations

from racelint.knowledge.computing import CONTAINER_METHODS, PURE_TYPES, is_pure_name
from racelint.model.summary import AnyNode, Call, Loop, Suspend, With
from racelint.program.flow.values import nodes_of
from racelint.program.linked.numbers import number
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Bound, Constant, Member, Thing

MANY_TURNS = 1000
"""From here on a loop is worth speaking of."""


class Computing:
    """Answers for calls and functions, each function looked at once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[str, bool] = {}

    def is_pure_call(self, call: Call, function: FunctionInfo) -> bool:
        """A call of something that only computes; what is not known does not."""
        things = [t for t in self.program.types.of_value(call.func, function) if not isinstance(t, Constant)]
        if not things:
            return any(len(path) > 1 and path[-1] in CONTAINER_METHODS for path in call.func)
        return all(self._is_pure(thing) for thing in things)

    def _is_pure(self, thing: Thing) -> bool:
        if isinstance(thing, External):
            return is_pure_name(thing.dotted)
        if isinstance(thing, Member):
            return thing.dotted in PURE_TYPES
        return isinstance(thing, Bound) and self.is_pure(thing.function)

    def is_pure(self, function: FunctionInfo) -> bool:
        """Whether running the function only computes; recursion counts as computing."""
        known = self._known.get(function.id)
        if known is None:
            self._known[function.id] = True
            ir = function.ir
            known = self._known[function.id] = not (ir.is_async or ir.is_generator or ir.decorators) and all(
                self._is_pure_node(node, function) for node in nodes_of(ir.body)
            )
        return known

    def _is_pure_node(self, node: AnyNode, function: FunctionInfo) -> bool:
        if isinstance(node, Call):
            return self.is_pure_call(node, function)
        return not isinstance(node, (With, Suspend))

    def has_work(self, function: FunctionInfo, depth: int = 0) -> bool:
        """Whether a loop in it, or in what it calls, may turn often."""
        for node in nodes_of(function.ir.body):
            if isinstance(node, Loop):
                turns = number(self.program, node.turns, function)
                if turns is None or turns >= MANY_TURNS:
                    return True
        sites = self.program.calls.outgoing[function.id] if depth < 3 else ()
        return any(site.callee is function or self.has_work(site.callee, depth + 1) for site in sites)
