"""A finding with the fix that is being tried for it, and which fixes can be tried together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from racelint.fixes.base import Attempt, Proposal
from racelint.fixes.failed_trial import UNKNOWN_SHAPE
from racelint.fixes.text_edits import clash
from racelint.model.finding import Finding
from racelint.model.fix import Edit, Fix

MOST_PROPOSALS = 6
"""Of one fix: what the first few cannot do, the next will not."""


class Offer(NamedTuple):
    """A fix that stood its trial, and what it makes that there can be only one of."""

    finding: Finding
    fix: Fix
    claims: frozenset[str] = frozenset()

    def clashes_with(self, other: Offer) -> bool:
        """Whether the two cannot be applied together."""
        same_file = self.finding.path == other.finding.path
        return same_file and (bool(self.claims & other.claims) or clash(self.fix.edits, other.fix.edits))


@dataclass(eq=False)
class Candidate:
    """A finding, its place among those asked for, the attempts not made yet, and the edits of the proposal at hand.

    `spare` is the first that could not stand alone, `tries` how many have been at hand. `met` is what speaks against
    attempts, `failed` why trials failed.
    """

    place: int
    finding: Finding
    attempts: Iterator[Attempt]
    proposal: Proposal | None = None
    edits: tuple[Edit, ...] = ()
    spare: Proposal | None = None
    tries: int = 0
    met: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def reason(self) -> str:
        """Why nothing is offered: the best of the proposals says it, else the first obstacle."""
        return next(iter((*self.failed, *self.met)), UNKNOWN_SHAPE)

    @property
    def offer(self) -> Offer:
        assert self.proposal is not None
        message, applicability, reason, claims = self.proposal[1:]
        return Offer(self.finding, Fix(applicability, message, self.edits, reason), claims)

    def gets_on_with(self, other: Candidate) -> bool:
        """Whether the two can be tried together: they do the same, or do not clash."""
        same = self.finding.path == other.finding.path and self.edits == other.edits
        return same or not self.offer.clashes_with(other.offer)


def batch_of(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that can be tried together: the first, and each that gets on with all before it."""
    batch: list[Candidate] = []
    for candidate in candidates:
        if all(candidate.gets_on_with(other) for other in batch):
            batch.append(candidate)
    return batch
