"""Which of the fixes that were tried together a failed trial speaks against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from racelint.fixes.candidate import Candidate
from racelint.fixes.draft import Key, key_of


class Complaint(NamedTuple):
    """A fix that failed: whether its own finding has stayed, and what has come with it."""

    candidate: Candidate
    stayed: bool
    new: Counter[Key]


def complaints(batch: Sequence[Candidate], staying: Collection[Key], new: Counter[Key]) -> list[Complaint]:
    """Those of a batch that the trial of all of them speaks against beyond doubt.

    `staying` are the kinds of findings that did not all go, `new` those that have come. A finding speaks against the
    only fix in its file, or else the only one there that is about the same function or variable, or writes its name.
    """
    alike = Counter(key_of(candidate.finding) for candidate in batch)
    stayed = [c for c in batch if (key := key_of(c.finding)) in staying and alike[key] == 1]
    brought: dict[int, Counter[Key]] = {}
    for key, count in new.items():
        suspected = _suspected(batch, key)
        if len(suspected) == 1:
            brought.setdefault(suspected[0].place, Counter())[key] = count
    return [
        Complaint(candidate, candidate in stayed, brought.get(candidate.place, Counter()))
        for candidate in batch
        if candidate in stayed or candidate.place in brought
    ]


def _suspected(batch: Sequence[Candidate], key: Key) -> list[Candidate]:
    """Those that may have brought a finding, as few as can be told."""
    _, path, symbol, subject = key
    here = [candidate for candidate in batch if candidate.finding.path == path]
    for found in (
        [c for c in here if c.finding.subject == subject],
        [c for c in here if c.finding.symbol == symbol],
        [c for c in here if any(subject.rpartition(".")[2] in edit.content for edit in c.edits)],
    ):
        if found:
            return found
    return here


def told_apart(batch: Sequence[Candidate], places: Collection[str]) -> Iterator[Sequence[Candidate]]:
    """The groups to try of a batch that failed with nobody to blame: those in none of the `places` where something has
    stayed or come, and the others; halves where all are alike."""
    doubtful = [candidate for candidate in batch if candidate.finding.path in places]
    sound = [candidate for candidate in batch if candidate not in doubtful]
    middle = len(batch) // 2
    yield from (sound, doubtful) if sound and doubtful else (batch[:middle], batch[middle:])
