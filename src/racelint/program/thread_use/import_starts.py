"""Threads that start, and waits that happen, while a module is imported."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Branch, Call, Span
from racelint.program.flow.values import event_span
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.blocking import BlockingCalls
from racelint.program.linked.importing import Importing
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot

_MAX_DEPTH = 4


class ImportStart(msgspec.Struct, frozen=True):
    """`root` is started at `span` of the code of `module`; `waits`: where the import waits for it, if it does."""

    module: FunctionInfo
    span: Span
    root: ThreadRoot
    waits: Span | None
    certain: bool
    """No condition on the way decides on it."""


class ImportStarts:
    """All of them, of modules that are imported."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.importing = Importing(program)
        self._starts: dict[str, list[tuple[int, ThreadRoot]]] = {}
        for root in program.roots:
            if root.kind in ("thread", "timer", "pool"):
                for function, event in root.starts:
                    self._starts.setdefault(function.id, []).append((event, root))

    def found(self) -> Iterator[ImportStart]:
        """In source order, one for each place of the module's code."""
        for function in self.program.index.functions:
            if function.ir.kind not in ("module", "class") or not self.importing.is_imported(function.module):
                continue
            seen: set[int] = set()
            for event, root, certain in self._started(function, 0):
                if event not in seen and self.importing.runs_at_import(function, event):
                    seen.add(event)
                    waits = self._waits(function, event, root)
                    yield ImportStart(function, event_span(function, event), root, waits, certain)

    def _started(self, function: FunctionInfo, depth: int) -> list[tuple[int, ThreadRoot, bool]]:
        """The events of a function that start a thread, through the functions that it calls; whether for certain."""
        found = [(event, root, True) for event, root in self._starts.get(function.id, [])]
        for site in self.program.calls.outgoing[function.id] if depth < _MAX_DEPTH and self._starts else ():
            if not site.weak and not site.callee.ir.is_async and not site.callee.ir.is_generator:
                for event, root, certain in self._started(site.callee, depth + 1)[:1]:
                    decided = any(isinstance(node, Branch) for node in enclosing(place_of(site.callee, event)))
                    found.append((site.event, root, certain and not decided))
        return sorted(found, key=lambda entry: entry[0])

    def _waits(self, function: FunctionInfo, event: int, root: ThreadRoot) -> Span | None:
        """The import waits for the thread: it joins it, or waits for a signal."""
        joins = [join for other, join in root.joins if other is function and join > event]
        if joins:
            return event_span(function, min(joins))
        blocking = BlockingCalls(self.program)
        for call in self.program.stores.facts[function.id].calls:
            if call.id > event and self._is_wait(blocking, call, function):
                return call.span
        return None

    @staticmethod
    def _is_wait(blocking: BlockingCalls, call: Call, function: FunctionInfo) -> bool:
        found = blocking.of(call, function)
        return found is not None and found.blocking.kind == "wait"
