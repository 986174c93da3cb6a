"""How the RL1 rules tell a suspect: which threads, which accesses, which locks.

Reporting principles: report at the unprotected access; name the location as its user would; say in the message what
is wrong and in the reason which two pieces of code run in parallel and what they hold; show both call chains.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from racelint.model.finding import Confidence, Finding, Severity, Step
from racelint.model.summary import ELEMENT
from racelint.program import Program
from racelint.program.flow.values import event_span
from racelint.program.objects.locations import Location
from racelint.program.parallel.records import Record
from racelint.program.races.suspects import Suspect, SuspectKind
from racelint.rules.base import Rule, step, symbol_of

if TYPE_CHECKING:
    from collections.abc import Callable


def suspects_of(program: Program, *kinds: SuspectKind) -> list[Suspect]:
    """The suspects that a rule speaks of."""
    return program.suspects.of_kind(*kinds)


def findings(
    rule: Rule,
    suspects: list[Suspect],
    message: Callable[[Suspect], str],
    confidence: Callable[[Suspect], Confidence],
    severity: Callable[[Suspect], Severity | None] = lambda suspect: None,
) -> Iterator[Finding]:
    """One finding per suspect."""
    for suspect in suspects:
        access = suspect.record.access
        yield rule.finding(
            access.function,
            suspect.span,
            message=message(suspect),
            why=reason(suspect),
            subject=subject(suspect.group.location),
            confidence=confidence(suspect),
            evidence=suspect.evidence,
            trace=trace(suspect),
            severity="info" if suspect.weak or suspect.benign else severity(suspect),
        )


def subject(location: Location) -> str:
    """`bank.Account.money`: the access path in the words of a person."""
    return str(location.container())


def shown(location: Location) -> str:
    """`Account.money`, `CACHE` or `count`, without the module."""
    text = ".".join(field for field in location.fields if field != ELEMENT)
    if location.kind == "attribute":
        return f"{location.owner.rpartition(':')[2]}.{text}"
    return text


def reason(suspect: Suspect) -> str:
    """The why of a finding: who runs in parallel, what they do, what they hold."""
    record, conflict = suspect.record, suspect.conflict
    mine = runner(record)
    elsewhere = mine == runner(conflict) and record.access is not conflict.access
    line = conflict.access.span[0]
    who = f"{mine} may overlap with itself at line {line}" if elsewhere else in_parallel(record, conflict)
    benign = f"; benign: {suspect.benign}" if suspect.benign else ""
    return f"{who}; {holding(suspect)}{benign}"


def in_parallel(record: Record, other: Record) -> str:
    """Which two run at once, or what runs several times."""
    mine, theirs = runner(record), runner(other)
    return f"{mine} and {theirs} may overlap" if mine != theirs else f"{mine} may run several times at once"


def runner(record: Record) -> str:
    """What runs a record: a thread root, or a method that users may call from several threads."""
    root = record.context.root
    if root is not None:
        return root.title
    entry = record.context.entry.function
    if entry.ir.kind == "module":
        return "the main thread"
    return f"`{symbol_of(entry)}`"


def holding(suspect: Suspect) -> str:
    record, conflict = suspect.record, suspect.conflict
    mine, theirs = lock_names(record), lock_names(conflict)
    if record.foreign:
        return f"this holds {foreign_locks(record)} of an instance, which keeps nobody out who has another"
    if record.access is conflict.access:
        return "no lock spans the read and the write" if not mine else f"{' and '.join(mine)} is not held throughout"
    if not mine and not theirs:
        return "neither holds a lock"
    if mine and theirs:
        return f"one holds {' and '.join(mine)}, the other {' and '.join(theirs)}"
    where = f"line {conflict.access.span[0]}"
    return (
        f"{where} holds {' and '.join(theirs)}, this holds no lock"
        if theirs
        else f"only this holds {' and '.join(mine)}"
    )


def lock_names(record: Record) -> list[str]:
    return [f"`{name}`" for name in sorted({lock.short for lock in record.held})]


def foreign_locks(record: Record) -> str:
    """The locks that are held, but of an instance that has nothing to do with the location."""
    return " and ".join(f"`{name}`" for name in sorted({hold.lock.short for hold in record.state.must}))


def trace(suspect: Suspect) -> list[Step]:
    """Both accesses, each with the chain from its root."""
    steps = list(_chain(suspect.record))
    if suspect.compound is not None:
        steps.append(_first_step(suspect))
    steps.append(_access("access", suspect.record))
    steps.extend(_chain(suspect.conflict))
    steps.append(_access("conflict", suspect.conflict))
    return steps


def _first_step(suspect: Suspect) -> Step:
    assert suspect.compound is not None
    first = suspect.compound.first
    held = [record.held for record in suspect.group.records if record.access == first]
    names = {lock.short for lock in frozenset.intersection(*held)} if held else ()
    return step("access", f"reads `{shown(first.location)}`", first.function, first.span, sorted(names))


def _access(role: str, record: Record) -> Step:
    access = record.access
    verb = {"read": "reads", "write": "writes", "delete": "deletes", "mutate": "changes", "iterate": "iterates"}[
        access.deed
    ]
    if access.augmented:
        verb = "updates"
    held = record.held or [hold.lock for hold in record.state.must if record.foreign]
    names = [lock.short for lock in sorted(held, key=lambda lock: lock.location)]
    text = f"{verb} `{shown(access.location)}`"
    return step("access" if role == "access" else "conflict", text, access.function, access.span, names)


def _chain(record: Record) -> Iterator[Step]:
    chain = record.context.chain()
    root = record.context.root
    if root is not None and root.site is not None and root.site_function is not None:
        yield step("root", f"{root.title} is started", root.site_function, root.site.span)
    elif root is not None:
        yield step("root", f"{root.title}", root.target, root.target.ir.name_span)
    elif chain[0].public:
        entry = chain[0].function
        yield step("root", f"`{symbol_of(entry)}` may be called by any thread", entry, entry.ir.name_span)
    for frame in chain[1:]:
        assert frame.parent is not None
        caller = frame.parent.function
        called_at = event_span(caller, frame.site)
        yield step("call", f"`{symbol_of(caller)}` calls `{symbol_of(frame.function)}`", caller, called_at)
