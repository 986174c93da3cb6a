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
from typing import NamedTuple

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft, Key, key_of
from racelint.fixes.failed_trial import UNKNOWN_SHAPE, UNREADABLE, words_for_what_comes, words_for_what_stays
from racelint.fixes.leftovers import leftovers_freed
from racelint.fixes.reasons import in_one
from racelint.fixes.registry import all_fixers
from racelint.fixes.text_edits import apply_edits, clash, edits_between
from racelint.fixes.unrolled import unrolled
from racelint.model.finding import Finding
from racelint.model.fix import Applicability, Edit, Fix
from racelint.syntax.source import UnreadableSource

MOST_PROPOSALS = 6
"""Of one fix: what the first few cannot do, the next will not."""
_TRUST: tuple[Applicability, ...] = ("safe", "unsafe", "display-only")
MOST_FOLLOWING = 3
"""Findings that one fix may bring to light and put right as well."""


@dataclass
class Candidate:
    """A finding, its place among those asked for, the attempts not made yet, and the edits of the proposal at hand.

    `spare` is the first that could not stand alone. `met` is what speaks against attempts, `failed` why trials failed.
    """

    place: int
    finding: Finding
    attempts: Iterator[Attempt]
    proposal: Proposal | None = None
    edits: tuple[Edit, ...] = ()
    spare: Proposal | None = None
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


class Offer(NamedTuple):
    """A fix that stood its trial, and what it makes that there can be only one of."""

    finding: Finding
    fix: Fix
    claims: frozenset[str] = frozenset()

    def clashes_with(self, other: Offer) -> bool:
        """Whether the two cannot be applied together."""
        same_file = self.finding.path == other.finding.path
        return same_file and (bool(self.claims & other.claims) or clash(self.fix.edits, other.fix.edits))


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
    """The new texts of the files that fixes (path shown, edits) change; they must not clash."""
    by_file: dict[str, list[Edit]] = {}
    for display, edits in fixes:
        by_file.setdefault(display, []).extend(edits)
    return {display: apply_edits(draft.tree(display).text, edits) for display, edits in by_file.items()}


def tried(draft: Draft, fixes: Sequence[tuple[Finding, Sequence[Edit]]]) -> Draft | None:
    """The draft with all these edits made; None where one of the findings is still there or another has come."""
    trial = _Trial(draft, fixes)
    return trial.after if trial.stands else None


class _Trial:
    """What is said of the draft with the edits of some fixes made; `after` is None where that cannot be read."""

    def __init__(self, draft: Draft, fixes: Sequence[tuple[Finding, Sequence[Edit]]]) -> None:
        self.draft = draft
        self.wanted = Counter(key_of(finding) for finding, _ in fixes)
        self.after: Draft | None = None
        with suppress(UnreadableSource, UnicodeEncodeError):
            self.after = draft.changed(texts_with(draft, [(finding.path, edits) for finding, edits in fixes]))

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

    def shortcoming(self, finding: Finding) -> str:
        """Why the fix of one of the findings is not offered."""
        if self.after is None:
            return UNREADABLE
        if key_of(finding) in self.staying:
            return words_for_what_stays(finding, self.after)
        return words_for_what_comes(finding, self.after, self.new)


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
        pending = every
        for _ in range(MOST_PROPOSALS):
            pending = [candidate for candidate in pending if self._advance(candidate)]
            for batch in batches(pending):
                self._accept(batch)
            pending = [candidate for candidate in pending if candidate.place not in self.offers.found]
        for candidate in every if self.following else ():
            if candidate.spare is not None and candidate.place not in self.offers.found:
                with leftovers_freed():
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
        for proposal in candidate.attempts:
            if isinstance(proposal, Obstacle):
                candidate.met.append(proposal.words)
                continue
            before = self.draft.tree(candidate.finding.path).text
            if proposal.text != before:
                candidate.proposal = proposal
                candidate.edits = edits_between(before, proposal.text)
                return True
        return False

    def _accept(self, batch: Sequence[Candidate]) -> None:
        """Offer those that stand the trial: all at once where that works, else in the groups that it tells apart."""
        with leftovers_freed():
            groups = self._try(batch)
        for group in groups:
            self._accept(group)

    def _try(self, batch: Sequence[Candidate]) -> Sequence[Sequence[Candidate]]:
        """Offer all of the batch if it stands the trial; the groups to try instead where it does not."""
        trial = _Trial(self.draft, [(candidate.finding, candidate.edits) for candidate in batch])
        if trial.stands:
            self.offers.found.update({candidate.place: candidate.offer for candidate in batch})
            return ()
        if groups := list(_told_apart(batch, trial)) if len(batch) > 1 else []:
            return groups
        for candidate in batch:
            candidate.failed.append(trial.shortcoming(candidate.finding))
        if len(batch) == 1 and batch[0].spare is None and _may_be_completed(trial, batch[0].finding.path):
            batch[0].spare = batch[0].proposal
        return ()

    def _complete(self, candidate: Candidate, proposal: Proposal) -> None:
        """Offer a fix with those of what is new after it, if then all is gone."""
        path, key = candidate.finding.path, key_of(candidate.finding)
        try:
            after = self.draft.changed({path: proposal.text})
        except (UnreadableSource, UnicodeEncodeError):
            return
        if after.counts[key] >= self.draft.counts[key]:
            return
        fresh = after.telling - self.draft.telling
        new = [finding for finding in after.findings if key_of(finding) in fresh and finding.path == path]
        if not 0 < sum(fresh.values()) <= len(new) <= MOST_FOLLOWING:
            return
        offers = list(_Search(after, following=False).run(new).found.values())
        if len(offers) < len(new) or any(a.clashes_with(b) for a, b in combinations(offers, 2)):
            return
        whole = tried(after, [(offer.finding, offer.fix.edits) for offer in offers])
        if whole is not None and whole.counts[key] < self.draft.counts[key] and not whole.telling - self.draft.telling:
            candidate.proposal = _joined(proposal, whole.tree(path).text, offers)
            candidate.edits = edits_between(self.draft.tree(path).text, candidate.proposal.text)
            self.offers.found[candidate.place] = candidate.offer


def _told_apart(batch: Sequence[Candidate], trial: _Trial) -> Iterator[Sequence[Candidate]]:
    """The groups to try of a batch that failed: those that nothing speaks against, those whose own findings have
    stayed, and those in files where something has come; halves where all are alike.

    Nothing more is to be tried where the findings of all have stayed: they are no better without one another.
    """
    middle = len(batch) // 2
    halves = batch[:middle], batch[middle:]
    if trial.after is None:
        yield from halves
        return
    failing = [c for c in batch if (key := key_of(c.finding)) in trial.staying and trial.wanted[key] == 1]
    if len(failing) == len(batch):
        return
    places = {key[1] for key in (*trial.staying, *trial.new)}
    others = [candidate for candidate in batch if candidate not in failing]
    doubtful = [candidate for candidate in others if candidate.finding.path in places]
    sound = [candidate for candidate in others if candidate not in doubtful]
    groups = [group for group in (sound, failing, doubtful) if group]
    yield from groups if len(groups) > 1 else halves


def _may_be_completed(trial: _Trial, path: str) -> bool:
    """Whether the finding has gone, and no more has come than may be put right with it."""
    few = trial.after is not None and not trial.staying and sum(trial.new.values()) <= MOST_FOLLOWING
    return few and all(key[1] == path for key in trial.new)


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


def batches(candidates: Iterable[Candidate]) -> Iterator[list[Candidate]]:
    """Groups of candidates that do not clash with one another."""
    waiting = list(candidates)
    while waiting:
        batch: list[Candidate] = []
        left: list[Candidate] = []
        for candidate in waiting:
            fits = not any(candidate.offer.clashes_with(other.offer) for other in batch)
            (batch if fits else left).append(candidate)
        yield batch
        waiting = left
