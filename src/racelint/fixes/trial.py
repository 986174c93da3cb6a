"""Fixes are tried before they are offered: the fixed copy is analysed, the finding must be gone and no other be new.

What a fix brings to light, such as an access that the new guard is missing at, is put right with it where it can be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.blame import Complaint, complaints, told_apart
from racelint.fixes.candidate import MOST_PROPOSALS, Candidate, Offer, batch_of
from racelint.fixes.draft import Draft, Key, key_of
from racelint.fixes.failed_trial import UNREADABLE, words_for_what_comes, words_for_what_stays
from racelint.fixes.reasons import in_one
from racelint.fixes.registry import all_fixers
from racelint.fixes.text_edits import apply_edits, edits_between
from racelint.fixes.unrolled import unrolled
from racelint.model.finding import Finding
from racelint.model.fix import Applicability, Edit
from racelint.syntax.source import UnreadableSource

_TRUST: tuple[Applicability, ...] = ("safe", "unsafe", "display-only")
MOST_FOLLOWING = 3
"""Findings that one fix may bring to light and put right as well."""


@dataclass
class Offers:
    """The offers by the place of their finding among those `asked` for, each tried by itself or beside others that do
    not clash with it; `reasons` say why others of a rule with a fix have none; `failures` are our own defects."""

    draft: Draft
    asked: list[Finding] = field(default_factory=list)
    found: dict[int, Offer] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    failures: list[tuple[Finding, Exception]] = field(default_factory=list)


def offers_for(draft: Draft, findings: Iterable[Finding], earlier: Offers | None = None) -> Offers:
    """A fix for each of `findings` that has one. They are findings of the draft, in its order.

    What was found out for an `earlier` draft still holds where neither the file nor anything that is said has changed.
    """
    return _Search(draft).run(findings, earlier)


def texts_with(draft: Draft, fixes: Iterable[tuple[str, Sequence[Edit]]]) -> dict[str, str]:
    """The new texts of the files that fixes (path shown, edits) change; they must be the same or not clash."""
    by_file: dict[str, list[Edit]] = {}
    for display, edits in dict.fromkeys((display, tuple(edits)) for display, edits in fixes):
        by_file.setdefault(display, []).extend(edits)
    return {display: apply_edits(draft.tree(display).text, edits) for display, edits in by_file.items()}


def tried(draft: Draft, fixes: Sequence[tuple[Finding, Sequence[Edit]]]) -> Draft | None:
    """The draft with all these edits made; None where one of the findings is still there or another has come."""
    trial = _Trial(draft, fixes)
    if trial.stands:
        return trial.after
    trial.end()
    return None


class _Trial:
    """What is said of the draft with the edits of some fixes made; `after` is None where that cannot be read."""

    def __init__(self, draft: Draft, fixes: Sequence[tuple[Finding, Sequence[Edit]]]) -> None:
        self.draft = draft
        self.wanted = Counter(key_of(finding) for finding, _ in fixes)
        self.after: Draft | None = None
        with suppress(UnreadableSource, UnicodeEncodeError):
            self.after = draft.changed(texts_with(draft, [(finding.path, edits) for finding, edits in fixes]))

    def end(self) -> None:
        """Free what was linked for it; what was said is kept."""
        if self.after is not None:
            self.after.rest()

    @cached_property
    def staying(self) -> set[Key]:
        """The kinds of findings of which not as many have gone as were to go."""
        after, before = self.after, self.draft.counts
        return {key for key, n in self.wanted.items() if after is None or after.count(key) > before[key] - n}

    @cached_property
    def new(self) -> Counter[Key]:
        """What has come, without advice."""
        return self.after.telling - self.draft.telling if self.after is not None else Counter()

    @property
    def stands(self) -> bool:
        return not self.staying and not self.new

    def complaints(self, batch: Sequence[Candidate]) -> list[Complaint]:
        """Those of the fixes tried that it speaks against; none where it does not tell which."""
        if len(batch) == 1:
            return [Complaint(batch[0], bool(self.staying), Counter() if self.staying else self.new)]
        return complaints(batch, self.staying, self.new) if self.after is not None else []

    def shortcoming(self, complaint: Complaint) -> str:
        """Why the fix is not offered."""
        finding = complaint.candidate.finding
        if self.after is None:
            return UNREADABLE
        if complaint.stayed:
            return words_for_what_stays(finding, self.after)
        return words_for_what_comes(finding, self.after, complaint.new)


class _Search:
    """`following`: a fix may be made with those of what it brings to light."""

    def __init__(self, draft: Draft, *, following: bool = True) -> None:
        self.draft = draft
        self.following = following
        self.offers = Offers(draft)

    def run(self, findings: Iterable[Finding], earlier: Offers | None = None) -> Offers:
        self.offers.asked = list(findings)
        known = self._take_over(earlier) if earlier is not None else frozenset()
        every = [Candidate(n, f, self._attempts(f)) for n, f in enumerate(self.offers.asked) if n not in known]
        pending = [candidate for candidate in every if self._advance(candidate)]
        while pending:
            refused = self._accept(batch_of(pending))
            left = [candidate for candidate in pending if candidate.place not in self.offers.found]
            pending = [candidate for candidate in left if candidate not in refused or self._advance(candidate)]
        for candidate in every if self.following else ():
            if candidate.spare is not None and candidate.place not in self.offers.found:
                self._complete(candidate, candidate.spare)
        self.offers.reasons.update(
            {c.place: c.reason for c in every if c.place not in self.offers.found and c.finding.code in all_fixers()}
        )
        return self.offers

    def _take_over(self, earlier: Offers) -> Collection[int]:
        """The places of those for which all is as it was for an earlier draft, whose offers are taken over."""
        changed = set(self.draft.changed_since(earlier.draft))
        before = {finding: place for place, finding in enumerate(earlier.asked) if finding.path not in changed}
        known = {place: before[finding] for place, finding in enumerate(self.offers.asked) if finding in before}
        self.offers.found.update({n: earlier.found[old] for n, old in known.items() if old in earlier.found})
        self.offers.reasons.update({n: earlier.reasons[old] for n, old in known.items() if old in earlier.reasons})
        self.offers.failures.extend(failure for failure in earlier.failures if failure[0] in before)
        return known

    def _attempts(self, finding: Finding) -> Iterator[Attempt]:
        fixer: Fixer | None = all_fixers().get(finding.code)
        if fixer is None:
            return
        try:
            yield from _proposed(fixer, finding, self.draft)
        except UnreadableSource:
            return
        except Exception as error:  # a fix that fails costs its own finding, not the run
            self.offers.failures.append((finding, error))

    def _advance(self, candidate: Candidate) -> bool:
        """Go on to the next proposal that changes anything; False where there is none."""
        if candidate.tries == MOST_PROPOSALS:
            return False
        for proposal in candidate.attempts:
            if isinstance(proposal, Obstacle):
                candidate.met.append(proposal.words)
                continue
            before = self.draft.tree(candidate.finding.path).text
            if proposal.text != before:
                candidate.tries += 1
                candidate.proposal = proposal
                candidate.edits = edits_between(before, proposal.text)
                return True
        return False

    def _accept(self, batch: Sequence[Candidate]) -> list[Candidate]:
        """Offer all of a batch if it stands the trial; else those that it speaks against, told apart where need be.

        Who is neither offered nor spoken against is to be tried again.
        """
        trial = _Trial(self.draft, [(candidate.finding, candidate.edits) for candidate in batch])
        if trial.stands:
            self.offers.found.update({candidate.place: candidate.offer for candidate in batch})
            trial.end()
            return []
        against = trial.complaints(batch)
        for complaint in against:
            complaint.candidate.failed.append(trial.shortcoming(complaint))
            self._spare(complaint)
        amiss = {*trial.staying, *trial.new} if not against else set()
        trial.end()
        if against:
            return [complaint.candidate for complaint in against]
        return [refused for group in told_apart(batch, amiss) for refused in self._accept(group)]

    def _spare(self, complaint: Complaint) -> None:
        """Remember the first proposal with which its finding goes, and comes no more than may be put right with it."""
        candidate, stayed, new = complaint
        few = not stayed and sum(new.values()) <= MOST_FOLLOWING
        if candidate.spare is None and few and all(key[1] == candidate.finding.path for key in new):
            candidate.spare = candidate.proposal

    def _complete(self, candidate: Candidate, proposal: Proposal) -> None:
        """Offer a fix with those of what is new after it, if then all is gone."""
        with suppress(UnreadableSource, UnicodeEncodeError):
            after = self.draft.changed({candidate.finding.path: proposal.text})
            whole = self._completed(candidate.finding, after)
            after.rest()
            if whole is not None:
                text, offers = whole
                candidate.proposal = _joined(proposal, text, offers)
                before = self.draft.tree(candidate.finding.path).text
                candidate.edits = edits_between(before, candidate.proposal.text)
                self.offers.found[candidate.place] = candidate.offer

    def _completed(self, finding: Finding, after: Draft) -> tuple[str, list[Offer]] | None:
        """The text of its file, and what was done, with what is new after the fix of a finding put right; None where
        something is left."""
        path, key = finding.path, key_of(finding)
        if after.counts[key] >= self.draft.counts[key]:
            return None
        fresh = after.telling - self.draft.telling
        new = [finding for finding in after.findings if key_of(finding) in fresh and finding.path == path]
        if not 0 < sum(fresh.values()) <= len(new) <= MOST_FOLLOWING:
            return None
        offers = list(_Search(after, following=False).run(new).found.values())
        if len(offers) < len(new) or any(a.clashes_with(b) for a, b in combinations(offers, 2)):
            return None
        whole = tried(after, [(offer.finding, offer.fix.edits) for offer in offers])
        if whole is None:
            return None
        gone = whole.counts[key] < self.draft.counts[key] and not whole.telling - self.draft.telling
        text = whole.tree(path).text
        whole.rest()
        return (text, offers) if gone else None


def _proposed(fixer: Fixer, finding: Finding, draft: Draft) -> Iterator[Attempt]:
    """Where the statement shares its line with others, also what can be done once it does not: the safe ones first."""
    apart = unrolled(draft, finding, locks=fixer.locks)
    if apart is None:
        sketches = []
        for attempt in fixer.propose(finding, draft):
            if isinstance(attempt, Proposal) and attempt.applicability == "display-only":
                sketches.append(attempt)
            else:
                yield attempt
        yield from sketches
        return
    drafts = [(finding, draft), (apart.finding, apart.draft)]
    if fixer.locks and apart.mixed:
        drafts.reverse()
    found = [attempt for args in drafts for attempt in fixer.propose(*args)]
    apart.draft.rest()
    yield from sorted(
        found, key=lambda one: _TRUST.index(one.applicability) if isinstance(one, Proposal) else len(_TRUST)
    )


def _joined(first: Proposal, text: str, offers: Sequence[Offer]) -> Proposal:
    """One proposal for a fix and those that follow from it."""
    fixes = [offer.fix for offer in offers]
    message = "; then ".join(dict.fromkeys([first.message, *(f"{f.message[0].lower()}{f.message[1:]}" for f in fixes)]))
    reasons = filter(None, [first.reason, *(fix.reason for fix in fixes)])
    reason = in_one(clause for reason in reasons for clause in reason.split("; "))
    claims = first.claims.union(*(offer.claims for offer in offers))
    least = max((first.applicability, *(fix.applicability for fix in fixes)), key=_TRUST.index)
    return Proposal(text, message, least, reason, claims)
