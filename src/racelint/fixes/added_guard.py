"""RL101, RL102, RL104, RL105: what is done to shared state in several steps is put under its lock."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.fixes.base import Fixer, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.guarding import Guarding, existing_locks, fresh_lock
from racelint.fixes.lazy_init import second_check
from racelint.fixes.places import suspect_of
from racelint.fixes.sites import NotCovered
from racelint.model.finding import Finding


class AddedGuard(Fixer):
    """The smallest block that makes the steps one goes under `with lock:`.

    The lock is the one that most accesses hold; then only the flagged function changes. Where there is none yet, it is
    the lock beside the variable or a new one, and every function that changes the variable takes it.
    Safe where nothing runs under the lock but the program's own plain computation. Unsafe where calls run under it
    that may wait or call back, or where nothing but its place says that the lock is meant for the variable.
    Never across an `await` or `yield` or a call that waits, never where the lock is held already.
    """

    codes = ("RL101", "RL102", "RL104", "RL105")

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Proposal]:
        suspect = suspect_of(draft.program, finding)
        if suspect is None:
            return
        checked = second_check(draft, suspect) if finding.code == "RL105" else None
        if checked is not None:
            yield checked
        for lock in (*existing_locks(draft, suspect), None):
            try:
                plan = Guarding(draft, suspect, lock) if lock is not None else fresh_lock(draft, suspect)
            except NotCovered:
                continue
            if plan is None:
                continue
            found = [plan.proposal(finding.path)]
            if plan.around_loops():
                found.append(plan.proposal(finding.path))
            yield from (proposal for proposal in found if proposal is not None)
