"""What all searches for suspects share: the program, its races and guards, and how a suspect is made out."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.threads import THREAD_BASES
from racelint.program.linker import Program
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Object
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.races import Races
from racelint.program.races.suspects.benign import (
    answers_with_its_error,
    expects_none,
    fills_equal_entry,
    finds_same_object,
    harmless,
    needs_no_lock,
    notes_twice,
    refuses_second,
    remembers_answers,
    sets_flag_twice,
)
from racelint.program.races.suspects.guards import Guards
from racelint.program.races.suspects.interruptible import ATOMIC, atomic_with_gil
from racelint.program.races.suspects.suspect import Suspect, SuspectKind
from racelint.program.sharing.compounds import Compound
from racelint.program.threads.test_cases import is_of_tests

_WITH_A_GUARD: frozenset[SuspectKind] = frozenset({"iteration", "update", "lazy-init"})
"""Where only a lock beside it says that it is concurrent, that lock must be its guard.

Or who resets it holds it: what is initialised on first use, or belongs to the class."""


_STEPS: frozenset[SuspectKind] = frozenset({"update", "check-then-act", "lazy-init", "wrong-lock"})
"""What only goes wrong where another thread comes between its steps."""

_BESIDE_THE_GUARD: frozenset[SuspectKind] = frozenset({"unguarded", "wrong-lock"})
"""What goes wrong where it comes between the steps of those that hold the lock."""


class Inquiry:
    """The means of a search."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races = Races(program)
        self.overlap = self.races.overlap
        self.guards = Guards(program)

    def suspect(
        self,
        kind: SuspectKind,
        group: Group,
        record: Record,
        conflict: Record,
        compound: Compound | None = None,
        guard: Location | None = None,
    ) -> Suspect:
        """A suspect with what makes it more or less credible."""
        guarded = group.guards.get(guard, 0) if guard is not None else 0
        evidence = self.overlap.evidence_of(record, conflict, group)
        theirs = self.guards.own_locks(conflict, group)
        meant = self.guards.meant_for_threads(kind, record, group)
        related = (
            meant or guard is not None or bool(theirs | self.guards.own_locks(record, group)) or kind == "wrong-lock"
        )
        use = compound is not None and compound.kind == "check-then-use" and not record.access.location.content
        use = use and not self._forgets_itself(conflict)
        weak = (evidence == "lock" and not related) or (
            use and evidence == "thread" and guard is None and not group.owner_locks
        )
        one_for_all = kind == "lazy-init" or (kind == "update" and record.static)
        weak |= (
            evidence == "lock"
            and guard is None
            and not meant
            and not (one_for_all and theirs)
            and not (kind == "iteration" and self.guards.all_change_it_with(group))
            and kind in _WITH_A_GUARD
        )
        weak |= _is_arranged(record, conflict)
        benign = ""
        if kind == "unguarded" and guard is not None:
            benign = harmless(record, group, guard, self.program)
        elif kind in ("check-then-act", "lazy-init") and compound is not None:
            benign = finds_same_object(compound, self.program)
            if not benign and kind == "check-then-act":
                benign = fills_equal_entry(compound, self.program)
                benign = benign or remembers_answers(compound, group, self.program)
                benign = benign or sets_flag_twice(compound, group, self.program)
                benign = benign or notes_twice(compound, self.program)
                benign = benign or answers_with_its_error(compound, self.program)
                benign = benign or expects_none(compound, self.program)
            elif not benign:
                benign = refuses_second(compound, self.program)
        if not benign and self.program.settings.only_gil and self._runs_through(kind, group, compound, guard):
            benign = ATOMIC
        return Suspect(kind, group, record, conflict, compound, guard, guarded, group.total, evidence, benign, weak)

    def _forgets_itself(self, change: Record) -> bool:
        """The thread's own function, at its end, forgets the object by which others know the thread."""
        root, access = change.context.root, change.access
        if root is None or access.function is not root.target:
            return False
        things = self.program.types.of(access.path, access.function)
        return any(isinstance(thing, Object) and thing.dotted in THREAD_BASES for thing in things)

    def _runs_through(self, kind: SuspectKind, group: Group, compound: Compound | None, guard: Location | None) -> bool:
        """Whether no target interpreter, all of which have a GIL, can switch threads where it would do harm."""
        if kind in _STEPS and compound is not None:
            return atomic_with_gil(compound, self.program)
        return kind in _BESIDE_THE_GUARD and guard is not None and needs_no_lock(group, guard, self.program)


def _is_arranged(record: Record, conflict: Record) -> bool:
    """A test itself, and none of its threads, sets or looks at the state of what it tests."""
    own = record.context.root is None and is_of_tests(record.access.function)
    return own and not is_of_tests(conflict.access.function)


class Search:
    """Base of the searches: one kind of defect, looked for in one group at a time."""

    def __init__(self, inquiry: Inquiry) -> None:
        self.inquiry = inquiry
        self.program = inquiry.program
        self.races = inquiry.races
        self.overlap = inquiry.overlap
        self.guards = inquiry.guards

    def of(self, group: Group) -> Iterator[Suspect]:
        """The suspects of one location."""
        raise NotImplementedError
