"""Fixes applied until none is left: in rounds, since fixes that touch the same lines have to wait for one another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from racelint.fixes.draft import Draft
from racelint.fixes.registry import all_fixers
from racelint.fixes.trial import Offer, Offers, offers_for, tried
from racelint.model.finding import Finding
from racelint.model.fix import Applicability, Fix

MOST_ROUNDS = 20
"""A chain of fixes that wait for one another is shorter; more would be two that undo each other."""

Chosen = Callable[[Draft], Sequence[Finding]]
"""The findings of a draft that are to be fixed, in its order: those that the user would see."""
Approval = Callable[[Draft, Finding, Fix], tuple[Fix, bool]]
"""The last word on a fix that stood its trial: the fix, perhaps with a proof, and whether to apply it."""


@dataclass
class Mended:
    """The draft after all rounds, the fixes that made it (each for the draft of its round), those `withheld` because
    they are not safe enough or were not approved, and our own `failures`."""

    draft: Draft
    applied: list[tuple[Finding, Fix]] = field(default_factory=list)
    withheld: list[tuple[Finding, Fix]] = field(default_factory=list)
    failures: list[tuple[Finding, Exception]] = field(default_factory=list)


def mend(
    draft: Draft,
    chosen: Chosen,
    allowed: Collection[Applicability],
    approve: Approval = lambda draft, finding, fix: (fix, True),
) -> Mended:
    """Apply what may be applied, round by round, until nothing changes any more."""
    mended = Mended(draft)
    for _ in range(MOST_ROUNDS):
        findings = list(chosen(mended.draft))
        offers = offers_for(mended.draft, findings)
        mended.failures = offers.failures
        mended.withheld = []
        usable = _usable(mended, offers, allowed, approve)
        after = _applied(mended, usable)
        if after is None:
            return mended
        mended.draft = after
    return mended


def _usable(
    mended: Mended,
    offers: Offers,
    allowed: Collection[Applicability],
    approve: Approval,
) -> list[tuple[Finding, Fix]]:
    """The offers that may be applied together, the first of those that clash; the rest is withheld or waits."""
    usable: list[Offer] = []
    for _, offer in sorted(offers.found.items(), key=lambda found: (not _locks(found[1].finding), found[0])):
        if offer.fix.applicability not in allowed:
            mended.withheld.append((offer.finding, offer.fix))
        elif not any(offer.clashes_with(other) for other in usable):
            fix, is_good = approve(mended.draft, offer.finding, offer.fix)
            if is_good:
                usable.append(offer._replace(fix=fix))
            else:
                mended.withheld.append((offer.finding, fix))
    return [(offer.finding, offer.fix) for offer in usable]


def _locks(finding: Finding) -> bool:
    """Whether its fix takes a lock, which may make others needless: it goes first."""
    return all_fixers()[finding.code].locks


def _applied(mended: Mended, usable: list[tuple[Finding, Fix]]) -> Draft | None:
    """The draft with all of them, or with the first alone where they do not get on together; None without any."""
    for attempt in (usable, usable[:1]):
        after = tried(mended.draft, [(finding, fix.edits) for finding, fix in attempt]) if attempt else None
        if after is not None:
            mended.applied.extend(attempt)
            return after
    return None
