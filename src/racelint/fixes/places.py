"""From a finding to what it speaks of in the program: its function, its call, its suspect."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.model.summary import Call, Span
from racelint.program import Program
from racelint.program.flow.values import Stored
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Object
from racelint.program.races.suspects import Suspect
from racelint.program.sharing.ownership import makes_self


def span_of(finding: Finding) -> Span:
    """Where a finding stands."""
    return finding.line, finding.column, finding.end_line, finding.end_column


def named(function: FunctionInfo) -> str:
    """A function as people call it, in the middle of a sentence."""
    if function.ir.kind == "module":
        return "the module's own code"
    return f"the body of `{function.qualname}`" if function.ir.kind == "class" else f"`{function.qualname}`"


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


def changes_elsewhere(program: Program, location: Location | None, function: FunctionInfo) -> bool:
    """Whether another function than this changes what is there, on an object that others have."""
    accesses = program.shared.at(location) if location is not None else ()
    return any(a.changes and a.function is not function and not makes_self(a.function) for a in accesses)


def suspect_of(program: Program, finding: Finding) -> Suspect | None:
    """The suspect that an RL1 finding tells of."""
    for suspect in program.suspects.all:
        display = suspect.record.access.function.module.source.display
        same = display == finding.path and suspect.span == span_of(finding)
        location = suspect.group.location
        if same and finding.subject in (str(location), str(location.container())):
            return suspect
    return None


def maker_of(program: Program, location: Location) -> tuple[FunctionInfo, Call] | None:
    """The one call whose result is all that a variable ever holds, and the function that makes it."""
    entries = stored_at(program, location)
    if len(location.fields) != 1 or len(entries) != 1 or len(entries[0].value) != 1:
        return None
    (path,) = entries[0].value
    function = entries[0].function
    call = program.stores.facts[function.id].made_by(path)
    return (function, call) if call is not None and len(path) == 1 else None


def type_of_call(program: Program, function: FunctionInfo, call: Call) -> str:
    """The dotted name of what a call makes, where it is an object of something outside; else empty."""
    things = program.types.of((f"c:{call.id}",), function)
    return next((thing.dotted for thing in things if isinstance(thing, Object)), "")
