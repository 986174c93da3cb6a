"""Code that runs on one thread alone, whoever calls: `if self._owner == get_ident():`, `if current_thread() is …:`."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import Access, AnyNode, Branch, Raise, Return
from racelint.program.flow.values import Stores, blocks_of, nodes_of
from racelint.program.flow.walk import contains
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.own_threads import asking_who
from racelint.program.threads.context import Context


class HomeThreads:
    """Answers where a context has found that it is on the thread that it was compared with."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self._known: dict[str, tuple[AnyNode, ...]] = {}
        self._answers: dict[tuple[Context, int], bool] = {}

    def is_home(self, context: Context, event: int) -> bool:
        """Whether a caller on the way to the event, or its own function, goes there on one thread alone."""
        known = self._answers.get((context, event))
        if known is None:
            ways = context.outwards(event)
            known = any(contains(node, at) for function, at in ways for node in self._at_home(function))
            self._answers[context, event] = known
        return known

    def _at_home(self, function: FunctionInfo) -> tuple[AnyNode, ...]:
        if function.id not in self._known:
            asking = asking_who(self.stores, function)
            self._known[function.id] = tuple(self._found(function.ir.body, asking)) if asking else ()
        return self._known[function.id]

    def _found(self, block: tuple[AnyNode, ...], asking: frozenset[int]) -> Iterator[AnyNode]:
        for position, node in enumerate(block):
            for inner in blocks_of(node):
                yield from self._found(inner, asking)
            if isinstance(node, Branch) and asking.intersection(node.deps) and _compares(node, block):
                same, others = (node.orelse, node.then) if node.differs else (node.then, node.orelse)
                yield from same
                if others and isinstance(others[-1], (Return, Raise)):
                    yield from block[position + 1 :]


def _compares(node: Branch, block: tuple[AnyNode, ...]) -> bool:
    """With one thread, or with what two or three names hold: not with a collection of threads."""
    if node.test == "compare":
        return True
    tested = (n for n in nodes_of(block) if isinstance(n, Access) and n.kind == "test" and n.id in node.deps)
    return node.test == "in" and not node.negated and any(access.path[0].startswith("v:") for access in tested)
