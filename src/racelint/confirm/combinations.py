"""Which operations meet on threads: each with itself, in pairs, in threes, and one before or after another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from racelint.confirm.footprint import Footprint, Footprints, conflict
from racelint.confirm.operations import PUBLIC_SPECIAL, Entry
from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline
from racelint.confirm.project import Project

PREPARED = 6
"""Combinations that are tried again on an object that is not empty any more."""

FILLERS = 3
"""Operations tried for filling it."""

_FILLING = re.compile(
    r"(?:.*_)?(add|append|put|push|insert|set|store|save|write|register|subscribe|enqueue|deposit|create|open|connect|load|"
    r"send|submit|schedule|extend|fill|__setitem__|enter|join|start|init)"
)

LARGEST_PLAN = 40
"""Combinations tried for one class, the likeliest first."""


@dataclass(frozen=True)
class Combination:
    """Entries per thread; `swapped` asks that later threads exchange the two objects they work on.

    `first` is run before the threads start, so many `times`: what is taken must have been put in, and all but one of
    what is there taken out. `another` asks for a value of its own each time, before and on threads: what has a limit is
    at it then, and a thread that puts in something puts out something else.
    """

    threads: tuple[tuple[Entry, ...], ...]
    swapped: bool = False
    first: Entry | None = None
    times: int = 1
    another: bool = False


def public_entries(
    project: Project, module: ModuleOutline, cls: ClassOutline, *, coroutines: bool = False
) -> list[Entry]:
    """The methods that users of an object call, properties and the special ones included; `coroutines` too if asked."""
    found = []
    for name, method in project.methods(module, cls).items():
        visible = not name.startswith("_") or name in PUBLIC_SPECIAL
        if visible and not method.nested and (coroutines or not method.is_async):
            found.append(Entry(module, method, cls))
    return found


def class_combinations(footprints: Footprints, entries: Sequence[Entry]) -> list[Combination]:
    """Each entry with itself and in pairs, the likeliest conflict first; pairs that share nothing are left out."""
    scored: list[tuple[int, int, Combination]] = []
    for first, second in _with_replacement(entries):
        left, right = footprints.of(first.function, first.cls), footprints.of(second.function, second.cls)
        score = conflict(left, right)
        if first is second and not score and _opaque(left):
            score = 1
        if score:
            scored.append((-score, len(scored), Combination(((first,), (second,)))))
    ordered = [combination for _, _, combination in sorted(scored, key=lambda item: item[:2])]
    if not ordered:
        ordered = [Combination(((entry,), (entry,))) for entry in entries]
    return ordered[:LARGEST_PLAN]


def pair_combinations(first: Entry, second: Entry) -> Iterator[Combination]:
    """What to try for two suspect operations, the smallest first."""
    if first.function is not second.function:
        yield Combination(((first,), (second,)))
        yield Combination(((first,), (first,)))
        yield Combination(((second,), (second,)))
    else:
        yield Combination(((first,), (first,)))
    yield Combination(((first,), (second,)), swapped=True)
    yield Combination(((first,), (first,), (second,)))
    yield Combination(((first,), (first,), (second, second)))


def prepared_combinations(
    footprints: Footprints, entries: Sequence[Entry], combinations: Sequence[Combination]
) -> Iterator[Combination]:
    """The combinations once more, after an operation that fills what they touch; the likeliest to fill it first."""
    for combination in combinations[:PREPARED]:
        touched: set[str] = set()
        running = {entry.function.qualname for thread in combination.threads for entry in thread}
        for thread in combination.threads:
            for entry in thread:
                touched |= footprints.of(entry.function, entry.cls).touched
        fillers = [entry for entry in entries if _fills(footprints.of(entry.function, entry.cls), touched)]
        for filler in sorted(fillers, key=partial(_likelihood, footprints, running))[:FILLERS]:
            prepared = Combination(combination.threads, combination.swapped, filler)
            yield prepared
            if filler.function.qualname in running:
                yield replace(prepared, times=2, another=bool(_FILLING.match(filler.function.name)))


def _likelihood(footprints: Footprints, running: set[str], entry: Entry) -> tuple[bool, bool, bool]:
    """Smaller is likelier to fill what is shared and to leave it so: by its name, what a thread does itself first."""
    starts = footprints.of(entry.function, entry.cls).starts
    fills = bool(_FILLING.match(entry.function.name))
    return starts, not fills, entry.function.qualname not in running


def fillers(footprints: Footprints, entries: Sequence[Entry], entry: Entry) -> list[Entry]:
    """What may have to be called before the entry does anything, by name and by what it changes."""
    touched = footprints.of(entry.function, entry.cls).touched
    changing = [e for e in entries if _FILLING.match(e.function.name) and e.function is not entry.function]
    return [e for e in changing if footprints.of(e.function, e.cls).writes & touched][:FILLERS]


def _fills(footprint: Footprint, touched: set[str]) -> bool:
    changes = footprint.writes | footprint.calls_on
    return bool(changes & touched) and not footprint.waits


def waiting_combinations(footprints: Footprints, entries: Sequence[Entry]) -> Iterator[Combination]:
    """Two that wait against one that notifies often enough for both: how a wake-up is stolen or lost."""
    prints = [(entry, footprints.of(entry.function, entry.cls)) for entry in entries]
    for waiter, waiting in prints:
        for notifier, notifying in prints:
            if waiting.waits & notifying.notifies and waiter is not notifier:
                yield Combination(((waiter,), (waiter,), (notifier, notifier)))


def repeated(combination: Combination) -> list[Entry]:
    """The entries that more than one thread runs."""
    runs = [entry for thread in combination.threads for entry in dict.fromkeys(thread)]
    return [entry for entry in dict.fromkeys(runs) if runs.count(entry) > 1]


def _with_replacement(entries: Sequence[Entry]) -> Iterator[tuple[Entry, Entry]]:
    for index, first in enumerate(entries):
        yield first, first
        for second in entries[index + 1 :]:
            yield first, second


def _opaque(footprint: Footprint) -> bool:
    """Nothing of it is seen to be shared, but it is seen to do something."""
    return bool(footprint.touched)


def callers_of(footprints: Footprints, cls: ClassOutline, method: FunctionOutline) -> list[FunctionOutline]:
    """The public methods of the class that come to a private one, those that call it themselves first."""
    found: list[FunctionOutline] = []
    for entry in public_entries(footprints.project, footprints.outline, cls):
        if method.qualname in footprints.of(entry.function, cls).reached:
            found.append(entry.function)
    return sorted(found, key=lambda caller: not footprints.calls(caller, cls, method))
