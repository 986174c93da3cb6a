"""From a finding to what it speaks of in the program: its function, its call, its suspect."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.model.summary import AnyNode, Call, Span
from racelint.program import Program
from racelint.program.index import FunctionInfo
from racelint.program.locations import Location
from racelint.program.values import Stored, nodes_of


def span_of(finding: Finding) -> Span:
    """Where a finding stands."""
    return finding.line, finding.column, finding.end_line, finding.end_column


def functions_in(program: Program, display: str) -> Iterator[FunctionInfo]:
    """The functions of one file, its own code included, in source order."""
    return (function for function in program.index.functions if function.module.source.display == display)


def call_at(program: Program, finding: Finding) -> tuple[FunctionInfo, Call] | None:
    """The call that a finding points at, and the function that makes it."""
    for function in functions_in(program, finding.path):
        for call in program.stores.facts[function.id].calls:
            if call.span == span_of(finding):
                return function, call
    return None


def events_within(function: FunctionInfo, first: int, last: int) -> Iterator[AnyNode]:
    """Every node of a function's control flow that begins on one of these lines."""
    for node in nodes_of(function.ir.body):
        span = node.item.span if hasattr(node, "item") else node.span
        if first <= span[0] <= last:
            yield node


def stored_at(program: Program, location: Location) -> list[Stored]:
    """What is stored in a variable (not in the elements of what it holds)."""
    stores, name = program.stores, location.fields[0]
    if location.kind == "attribute":
        return stores.attributes.get((location.owner, name), [])
    if location.kind == "global":
        return stores.variables.get((location.owner, name), [])
    module, _, qualname = location.owner.partition(":")
    return stores.captured.get((module, qualname, name), [])
