"""Methods that take a lock and leave it held, and those that give it back: a thread calls the one, then the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from racelint.confirm.combinations import Combination
from racelint.confirm.held import locks_made_for
from racelint.confirm.injection import released_by, taken_by
from racelint.confirm.operations import Entry
from racelint.confirm.project import Project


def paired(project: Project, combination: Combination) -> Combination:
    """The same with the partner of each method on its thread: alone, it would give back what it does not hold."""
    return replace(combination, threads=tuple(tuple(_paired(project, thread)) for thread in combination.threads))


def _paired(project: Project, thread: tuple[Entry, ...]) -> Iterator[Entry]:
    for index, entry in enumerate(thread):
        taken, released = taken_by(entry.function), released_by(entry.function)
        before, after = thread[:index], thread[index + 1 :]
        if released and not any(taken_by(other.function) == released for other in before):
            yield from _partners(project, entry, released, takes=True)
        yield entry
        if taken and not any(released_by(other.function) == taken for other in after):
            yield from _partners(project, entry, taken, takes=False)


def _partners(project: Project, entry: Entry, lock: str, *, takes: bool) -> list[Entry]:
    """The first method of the object that takes the lock and leaves it held, or that gives it back."""
    if entry.cls is None or lock not in locks_made_for(project, entry):
        return []
    of = taken_by if takes else released_by
    methods = project.methods(entry.module, entry.cls).values()
    return [Entry(entry.module, method, entry.cls) for method in methods if of(method) == lock][:1]
