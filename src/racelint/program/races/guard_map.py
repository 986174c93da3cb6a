"""The map of guards: for every location that threads may share, which lock its lines hold."""

from __future__ import annotations

from collections.abc import Mapping

from racelint.model.overview import AccessedLine, SharedLocation
from racelint.program.linker import Program
from racelint.program.objects.locations import Location, distinct_names
from racelint.program.parallel.groups import AccessLine, Group
from racelint.program.races.suspects.guards import Guards


def guard_map(program: Program) -> tuple[SharedLocation, ...]:
    """The shared locations of `program`, by name."""
    groups = [group for group in program.suspects.races.groups if group.lines]
    guards = program.suspects.guards
    locks = {lock for group in groups for line in group.lines for lock in line.locks}
    locks |= {guard for group in groups if (guard := guards.of(group)) is not None}
    names = {**distinct_names(locks), **distinct_names(group.location for group in groups)}
    return tuple(sorted((_shared(group, guards, names) for group in groups), key=lambda found: found.location))


def _shared(group: Group, guards: Guards, names: Mapping[Location, str]) -> SharedLocation:
    guard = guards.of(group)
    lines = [_line(line, names) for line in group.lines]
    return SharedLocation(
        location=names[group.location],
        evidence=group.evidence,
        guard=names[guard] if guard is not None else None,
        declared=guards.is_declared(group),
        guarded=group.guards.get(guard, 0) if guard is not None else 0,
        lines=tuple(sorted(lines, key=lambda line: (line.path, line.line, line.symbol))),
    )


def _line(line: AccessLine, names: Mapping[Location, str]) -> AccessedLine:
    access = line.records[0].access
    return AccessedLine(
        path=access.function.module.source.display,
        line=access.span[0],
        symbol=access.function.symbol,
        changes=any(record.access.changes for record in line.records),
        locks=tuple(sorted(names[lock] for lock in line.locks)),
    )
