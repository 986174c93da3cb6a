"""From a finding to what it speaks of in the program: its function, its call, its suspect."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.model.summary import Call, Span
from racelint.program import Program
from racelint.program.index import FunctionInfo
from racelint.program.locations import Location
from racelint.program.suspects import Suspect
from racelint.program.values import Stored


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


def stored_at(program: Program, location: Location) -> list[Stored]:
    """What is stored in a variable (not in the elements of what it holds)."""
    stores, name = program.stores, location.fields[0]
    if location.kind == "attribute":
        return stores.attributes.get((location.owner, name), [])
    if location.kind == "global":
        return stores.variables.get((location.owner, name), [])
    module, _, qualname = location.owner.partition(":")
    return stores.captured.get((module, qualname, name), [])


def suspect_of(program: Program, finding: Finding) -> Suspect | None:
    """The suspect that an RL1 finding tells of."""
    for suspect in program.suspects.all:
        display = suspect.record.access.function.module.source.display
        same = display == finding.path and suspect.span == span_of(finding)
        if same and str(suspect.group.location) == finding.subject:
            return suspect
    return None
