"""Workers of a pool that wait for work of the same pool: once all workers wait, nobody is left to do it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import ELEMENT, Call, Path, Span
from racelint.program.flow.values import event_span
from racelint.program.linked.processes import Origin, Origins, closure
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot

_WAITING = frozenset({"apply", "map", "starmap"})
"""Methods of a pool of multiprocessing that wait for their answer by themselves."""
_FINISHING = frozenset(
    {"g:list", "g:tuple", "g:sum", "g:sorted", "g:set", "g:dict", "g:max", "g:min", "g:any", "g:all"}
)
"""Builtins that go through an iterator to its end."""


class NestedSubmit(msgspec.Struct, frozen=True):
    """`outer` is run by the pool and, through `chain`, gives it `inner` and waits for that at `waits`."""

    outer: ThreadRoot
    inner: ThreadRoot
    function: FunctionInfo
    waits: Span


class NestedSubmits:
    """All of them."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.origins = Origins(program)

    def found(self) -> Iterator[NestedSubmit]:
        """In the order of the outer tasks, each inner one once."""
        pooled = [(root, pools) for root in self.program.roots if (pools := self._pools(root))]
        seen: set[str] = set()
        for outer, pools in pooled:
            reached = closure(self.program, [outer.target])
            for inner, others in pooled:
                if inner.site_function is None or inner.site_function.id not in reached or inner.id in seen:
                    continue
                waits = self._waits(inner, inner.site_function)
                if pools & others and waits is not None and self._may_fill(outer, inner):
                    seen.add(inner.id)
                    yield NestedSubmit(outer, inner, inner.site_function, waits)

    def _pools(self, root: ThreadRoot) -> frozenset[Origin]:
        """Where the pool comes from that a task is given to."""
        if root.kind not in ("pool", "process") or root.site is None or root.site_function is None:
            return frozenset()
        found: set[Origin] = set()
        for path in root.site.func:
            if len(path) > 1 and self._is_place(path[:-1]):
                found |= self.origins.of(path[:-1], root.site_function)
        return frozenset(found)

    @staticmethod
    def _is_place(path: Path) -> bool:
        return ELEMENT not in path and not path[0].startswith("l:")

    def _may_fill(self, outer: ThreadRoot, inner: ThreadRoot) -> bool:
        """Several such tasks at once, one that starts its like, or a pool of one worker."""
        return outer.many or outer.one_worker or inner.target is outer.target or self._is_recursive(outer, inner)

    def _is_recursive(self, outer: ThreadRoot, inner: ThreadRoot) -> bool:
        return outer.target.id in closure(self.program, [inner.target])

    def _waits(self, root: ThreadRoot, function: FunctionInfo) -> Span | None:
        """Where the function waits for what it has submitted."""
        site = root.site
        if site is None:
            return None
        for other, event in root.joins:
            if other is function and event > site.id:
                return event_span(function, event)
        name = site.func[0][-1]
        things = {getattr(t, "dotted", "") for t in self.program.types.of(site.func[0][:-1], function)}
        if name in _WAITING and any("multiprocessing" in dotted for dotted in things):
            return site.span
        return self._goes_through(site, function) if name in ("map", "imap", "imap_unordered") else None

    def _goes_through(self, site: Call, function: FunctionInfo) -> Span | None:
        """The answers of a lazy `map` are iterated, or collected."""
        answers: Path = (f"c:{site.id}",)
        facts = self.program.stores.facts[function.id]
        for access in facts.accesses:
            if access.kind == "iterate" and access.path == answers:
                return access.span
        for call in facts.calls:
            if any(path[0] in _FINISHING for path in call.func) and any(answers in a.value for a in call.args):
                return call.span
        return None
