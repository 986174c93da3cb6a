"""Processes that a module's own code starts outside of its main guard: a spawned child would start them again."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Branch, Span
from racelint.program.flow.values import event_span
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.importing import Importing
from racelint.program.linked.makers import calls_of
from racelint.program.linked.start_methods import StartMethods
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo

_MAX_DEPTH = 4


class UnguardedProcess(msgspec.Struct, frozen=True):
    """At `span` the code of `module` starts a process, by `name`; `decided`: some condition is around it."""

    module: FunctionInfo
    span: Span
    name: str
    decided: bool


class UnguardedProcesses:
    """The first of each module."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.importing = Importing(program)
        self._starts: dict[str, list[tuple[int, str]]] = {}
        methods = StartMethods(program)
        for root in program.roots:
            if root.kind != "process" or root.site is None or root.site_function is None:
                continue
            for function, event in root.starts if methods.of(root.site, root.site_function) != "fork" else ():
                self._starts.setdefault(function.id, []).append((event, f"process `{root.target.qualname}`"))
        for dotted, name in (
            ("multiprocessing.Pool", "a pool of processes"),
            ("multiprocessing.Manager", "a manager's process"),
        ):
            for made in calls_of(program, dotted):
                if methods.of(made.call, made.function) != "fork":
                    self._starts.setdefault(made.function.id, []).append((made.call.id, name))

    def found(self) -> Iterator[UnguardedProcess]:
        """In source order."""
        for function in self.program.index.functions:
            if function.ir.kind != "module":
                continue
            for event, name in self._started(function, 0):
                if self.importing.runs_at_import(function, event):
                    around = enclosing(place_of(function, event))
                    decided = any(isinstance(node, Branch) for node in around)
                    yield UnguardedProcess(function, event_span(function, event), name, decided)
                    break

    def _started(self, function: FunctionInfo, depth: int) -> list[tuple[int, str]]:
        """The events of a function that start processes, through the functions that it calls."""
        found = list(self._starts.get(function.id, []))
        for site in self.program.calls.outgoing[function.id] if depth < _MAX_DEPTH and self._starts else ():
            if not site.weak and not site.callee.ir.is_async and not site.callee.ir.is_generator:
                for event, name in self._started(site.callee, depth + 1)[:1]:
                    if not any(isinstance(node, Branch) for node in enclosing(place_of(site.callee, event))):
                        found.append((site.event, name))
        return sorted(found)
