"""RL101, RL102, RL104, RL105, RL107: what is done to shared state in several steps is put under its lock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from racelint.fixes.atomic_call import atomic_call
from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.guarding import Choice, Guarding
from racelint.fixes.late_publication import late_publication
from racelint.fixes.lazy_init import second_check
from racelint.fixes.local_copy import local_copy
from racelint.fixes.manual_sections import with_sections
from racelint.fixes.names import is_for_another
from racelint.fixes.new_lock import new_lock
from racelint.fixes.places import functions_in, span_of, suspect_of
from racelint.fixes.sites import NotCovered, Site, all_sites, lazy_site, own_sites, sites_within
from racelint.fixes.taken_out import taken_out
from racelint.fixes.tried_get import tried_get
from racelint.model.finding import Finding
from racelint.program.objects.locations import Location
from racelint.program.races.lazy_starts import LazyStart, all_lazy_starts, lazy_starts
from racelint.program.races.suspects import Suspect

Sites = Callable[[Choice], Sequence[Site]]
"""What goes under the lock, by the lock. Raises NotCovered."""
_ALL_USES = "no lock around this place alone would help: all who use it would have to hold one for as long as they do"
_QUEUE = (
    "no lock is needed: `get_nowait()` or a timeout asks and takes in one step, and what to do for none is yours to say"
)
_ORDER = "a lock does not help: what is stored must be complete before others can find it"


class AddedGuard(Fixer):
    """The smallest block that makes the steps one goes under `with lock:`.

    Where one call does both, as `d.setdefault(k, [])`, it needs no lock; what is tested and then used may be read once,
    and what is used up and then dropped be taken out before.
    The lock is the one that most accesses hold; then only the flagged function changes. Where there is none yet, it is
    one that some changes hold, the lock beside the variable or a new one, and every function that changes the variable
    takes it. A lock that is named for something else comes last where calls would run under it. It becomes an `RLock`
    where what runs under it takes it again. What is stored before it is complete is stored when it is.
    A queue that is asked and then waited for is tried instead, with `get_nowait()`.
    Safe where nothing runs under the lock but the program's own plain computation. Unsafe where calls run under it
    that may wait or call back, or where nothing but its place says that the lock is meant for the variable.
    Never across an `await` or `yield` or a call that waits, never where the lock is held already, what is used and
    then dropped is taken out under the lock, and used outside of it. Display-only where functions that were handed in,
    listeners or the network would be called under the lock, and their answer is not what is stored.
    """

    codes = ("RL101", "RL102", "RL104", "RL105", "RL107")
    locks = True

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        yield from self._in_place(finding, draft)
        sections = with_sections(draft, finding) if finding.code == "RL107" else None
        if sections is not None:
            joined, again = sections
            attempts = list(self._in_place(again, joined))
            joined.rest()
            yield from attempts

    def _in_place(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        late = late_publication(draft, finding) if finding.code == "RL105" else None
        if late is not None:
            yield late
            return
        tried = tried_get(draft, finding) if finding.code == "RL104" else None
        if tried is not None:
            yield tried
            return
        suspect = suspect_of(draft.program, finding)
        if suspect is not None:
            checked = second_check(draft, suspect) if finding.code == "RL105" else None
            if checked is not None:
                yield checked
            alone = atomic_call(draft, suspect) if finding.code == "RL104" else None
            if alone is not None:
                yield alone
            location = suspect.group.location
            locked = _proposals(draft, finding.path, location, _choices(draft, suspect), _sites(draft, suspect))
            copied = local_copy(draft, suspect) if finding.code in ("RL102", "RL104") else None
            # a copy is better than a lock around what may wait
            yield from locked if copied is None else _best_first(locked, copied)
            taken = taken_out(draft, suspect) if finding.code == "RL104" else None
            if taken is not None:
                yield taken
            return
        lazy = _lazy_start(draft, finding) if finding.code == "RL105" else None
        if lazy is not None:
            choices = _lazy_choices(draft, lazy)
            alike = [other for other in all_lazy_starts(draft.program) if other.location == lazy.location]
            yield from _proposals(
                *(draft, finding.path, lazy.location, choices),
                lambda choice: [lazy_site(draft, other) for other in alike],
            )
            return
        yield Obstacle(_ORDER if finding.code == "RL105" else _QUEUE if finding.code == "RL104" else _ALL_USES)


def _best_first(locked: Iterator[Attempt], copied: Proposal) -> Iterator[Attempt]:
    """The safe ones, then those that are not."""
    yield from sorted((*locked, copied), key=lambda one: isinstance(one, Obstacle) or one.applicability != "safe")


def _lazy_start(draft: Draft, finding: Finding) -> LazyStart | None:
    functions = set(functions_in(draft.program, finding.path))
    found = (lazy for lazy in lazy_starts(draft.program) if lazy.check.span == span_of(finding))
    return next((lazy for lazy in found if lazy.function in functions), None)


def _proposals(
    draft: Draft, path: str, location: Location, choices: Iterator[Choice], sites: Sites
) -> Iterator[Attempt]:
    """Under each lock in turn: around the steps, or around the loop that they stand in.

    What is done under a lock for something else comes last, unless it does no harm: whoever takes that lock would wait
    for it.
    """
    choice = None
    last: list[Proposal] = []
    for choice in choices:
        try:
            plan = Guarding(draft, location, sites(choice), choice)
        except NotCovered as error:
            yield Obstacle(str(error))
            continue
        found = [plan.proposal(path)] if not plan.follows_a_loop() else []
        if plan.around_loops():
            found.append(plan.proposal(path))
        for attempt in found:
            if isinstance(attempt, Proposal) and choice.foreign and attempt.applicability != "safe":
                last.append(attempt)
            else:
                yield attempt
    yield from last
    if choice is None:
        yield Obstacle(f"there is no place for a lock beside `{location.attribute}`")


def _choices(draft: Draft, suspect: Suspect) -> Iterator[Choice]:
    """The locks that may be meant for the variable: its guard, else the only one beside it, else a new one."""
    location = suspect.group.location
    if suspect.guard is not None:
        yield from _known(suspect.guard)
        return
    held, beside = _mostly_held(suspect), suspect.group.owner_locks
    if held is not None:
        yield from _known(held)
    only = next(iter(beside)) if len(beside) == 1 and not beside & draft.locks_around_callbacks else None
    if only is not None and only != held:
        yield from _known(only, foreign=is_for_another(only, location))
    static = any(draft.program.suspects.races.records.is_static(r.access) for r in suspect.group.records)
    yield from _new(draft, location, static)


def _known(lock: Location, *, foreign: bool = False) -> Iterator[Choice]:
    yield Choice(lock, foreign=foreign)
    yield Choice(lock, reentrant=True, foreign=foreign)


def _mostly_held(suspect: Suspect) -> Location | None:
    """The lock beside the variable that most of its changes hold already."""
    changes = {record.access: record.locations_held for record in suspect.group.changes}
    held = Counter(lock for locks in changes.values() for lock in locks if lock in suspect.group.owner_locks)
    return min(held, key=lambda lock: (-held[lock], lock), default=None)


def _lazy_choices(draft: Draft, lazy: LazyStart) -> Iterator[Choice]:
    group = draft.program.suspects.races.by_location.get(lazy.location)
    beside = sorted(group.owner_locks - {lazy.location}) if group is not None else []
    if len(beside) == 1:
        yield from _known(beside[0], foreign=is_for_another(beside[0], lazy.location))
    yield from _new(draft, lazy.location, static=bool(lazy.makes))


def _new(draft: Draft, location: Location, static: bool) -> Iterator[Choice]:
    new = new_lock(draft, location, static)
    if new is not None:
        yield Choice(new.location, new)
        yield Choice(new.location, new, reentrant=True)


def _sites(draft: Draft, suspect: Suspect) -> Sites:
    """With the guard of the variable one function is put right, with any other lock all that change it."""

    def found(choice: Choice) -> list[Site]:
        if choice.location != suspect.guard:
            return all_sites(draft, suspect, None if choice.new else choice.location)
        try:
            return own_sites(draft, suspect)
        except NotCovered:
            if choice.reentrant or _is_reentrant(suspect):
                return sites_within(draft, suspect)
            raise

    return found


def _is_reentrant(suspect: Suspect) -> bool:
    held = (lock for record in suspect.group.records for lock in record.context.held)
    return any(lock.reentrant for lock in held if lock.location == suspect.guard)
