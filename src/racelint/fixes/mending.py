"""Fixes applied until none is left: in rounds, since fixes that touch the same lines have to wait for one another."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from racelint.fixes.candidate import Offer
from racelint.fixes.draft import Draft, Key, key_of
from racelint.fixes.registry import all_fixers
from racelint.fixes.trial import Offers, offers_for, texts_with, tried
from racelint.model.finding import Finding
from racelint.model.fix import Applicability, Fix

MOST_ROUNDS = 20
"""A chain of fixes that wait for one another is shorter; more would be two that undo each other."""

MOST_TOGETHER = 3
"""Attempts to find those of the refused fixes that help together."""


class Ruling(NamedTuple):
    """The last word on a fix that stood its trial: whether to apply it, and what running the code showed.

    `breaks`: with the fix the code still goes wrong, which may be by a defect that another fix puts right.
    """

    applies: bool
    proof: str = ""
    breaks: bool = False


Chosen = Callable[[Draft], Sequence[Finding]]
"""The findings of a draft that are to be fixed, in its order: those that the user would see."""
Approval = Callable[[Draft, Finding, Mapping[str, str]], Ruling]
"""What is to be said of the new texts of files, by the path shown, that are to put a finding of the draft right."""


@dataclass
class Mended:
    """The draft after all rounds, the fixes that made it (each for the draft of its round), those `withheld` because
    they are not safe enough or were not approved, those for which there is no fix, with the reason that is shown for
    it, in `unfixed`, and our own `failures`."""

    draft: Draft
    applied: list[tuple[Finding, Fix]] = field(default_factory=list)
    withheld: list[tuple[Finding, Fix]] = field(default_factory=list)
    unfixed: list[tuple[Finding, str]] = field(default_factory=list)
    failures: list[tuple[Finding, Exception]] = field(default_factory=list)


def mend(
    draft: Draft,
    chosen: Chosen,
    allowed: Collection[Applicability],
    approve: Approval = lambda draft, finding, texts: Ruling(True),
) -> Mended:
    """Apply what may be applied, round by round, until nothing changes any more.

    Where nothing more is approved, those that leave the code broken are tried together.
    """
    mended = Mended(draft)
    offers: Offers | None = None
    for _ in range(MOST_ROUNDS):
        offers = offers_for(mended.draft, chosen(mended.draft), offers)
        mended.failures = offers.failures
        mended.unfixed = [(offers.asked[place], reason) for place, reason in sorted(offers.reasons.items())]
        mended.withheld = []
        usable, broken = _usable(mended, offers, allowed, approve)
        if not _apply(mended, usable) and not _apply_together(mended, broken, chosen, allowed, approve):
            return mended
    return mended


def _usable(
    mended: Mended,
    offers: Offers,
    allowed: Collection[Applicability],
    approve: Approval,
) -> tuple[list[tuple[Finding, Fix]], list[Finding]]:
    """The offers that may be applied together, the first of those that clash; the rest is withheld or waits.

    Also the findings with whose fix alone the code still breaks.
    """
    usable: list[Offer] = []
    broken: list[Finding] = []
    for _, offer in sorted(offers.found.items(), key=lambda found: (not _locks(found[1].finding), found[0])):
        finding, fix, _ = offer
        if fix.applicability not in allowed:
            mended.withheld.append((finding, fix))
        elif not any(offer.clashes_with(other) for other in usable):
            ruling = approve(mended.draft, finding, texts_with(mended.draft, [(finding.path, fix.edits)]))
            fix = msgspec.structs.replace(fix, proof=ruling.proof)
            if ruling.applies:
                usable.append(offer._replace(fix=fix))
            else:
                mended.withheld.append((finding, fix))
            if ruling.breaks:
                broken.append(finding)
    return [(offer.finding, offer.fix) for offer in usable], broken


def _locks(finding: Finding) -> bool:
    """Whether its fix takes a lock, which may make others needless: it goes first."""
    return all_fixers()[finding.code].locks


def _apply(mended: Mended, usable: list[tuple[Finding, Fix]]) -> bool:
    """Make all of them, or the first alone where they do not get on together; whether there was any to make."""
    for attempt in (usable, usable[:1]):
        after = tried(mended.draft, [(finding, fix.edits) for finding, fix in attempt]) if attempt else None
        if after is not None:
            mended.applied.extend(attempt)
            mended.draft.rest()
            mended.draft = after
            return True
    return False


def _apply_together(
    mended: Mended, broken: Sequence[Finding], chosen: Chosen, allowed: Collection[Applicability], approve: Approval
) -> bool:
    """Make the fixes of which each alone leaves what another puts right, all of them or none; whether any was made."""
    draft = mended.draft
    for _ in range(MOST_TOGETHER):
        if len(broken) < 2:
            return False
        keys = {key_of(finding) for finding in broken}
        whole = mend(draft, _among(chosen, keys), allowed)
        made = {key_of(finding) for finding, _ in whole.applied}
        texts = {display: whole.draft.tree(display).text for display in whole.draft.changed_since(draft)}
        several = len(whole.applied) > 1
        rulings = {f: approve(draft, f, texts) for f in broken if key_of(f) in made} if several else {}
        if rulings and all(ruling.applies for ruling in rulings.values()):
            proofs = {key_of(finding): ruling.proof for finding, ruling in rulings.items()}
            mended.applied += [
                (finding, msgspec.structs.replace(fix, proof=_shared(proofs[key_of(finding)], finding, rulings)))
                for finding, fix in whole.applied
            ]
            mended.withheld = [(f, fix) for f, fix in mended.withheld if key_of(f) not in made]
            mended.draft = whole.draft
            return True
        broken = [finding for finding, ruling in rulings.items() if ruling.applies]
    return False


def _among(chosen: Chosen, keys: Collection[Key]) -> Chosen:
    """Those of the chosen that are known by these keys."""
    return lambda draft: [finding for finding in chosen(draft) if key_of(finding) in keys]


def _shared(proof: str, finding: Finding, together: Iterable[Finding]) -> str:
    """The proof, and with which other fixes it was had."""
    others = list(together)
    others.remove(next(other for other in others if key_of(other) == key_of(finding)))
    named = " and ".join(f"{other.code} on line {other.line}" for other in others)
    return f"with the fix of {named}: {proof}"
