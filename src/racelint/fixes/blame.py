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
    """Those of a batch that the trial of all of them speaks against: the only one in a file where something is amiss.

    `staying` are the kinds of findings that did not all go, `new` those that have come.
    """
    found = []
    for (candidate,) in (here for here in _by_file(batch).values() if len(here) == 1):
        finding = candidate.finding
        brought = Counter({key: count for key, count in new.items() if key[1] == finding.path})
        stayed = key_of(finding) in staying
        if stayed or brought:
            found.append(Complaint(candidate, stayed, brought))
    return found


def told_apart(batch: Sequence[Candidate], amiss: Collection[Key]) -> Iterator[Sequence[Candidate]]:
    """The two groups to try of a batch that failed, `amiss` being what has stayed or come: of each file those that this
    is about or names, and the others; halves where all are alike."""
    suspects = {candidate.place for key in amiss for candidate in _suspected(batch, key)}
    groups: tuple[list[Candidate], list[Candidate]] = ([], [])
    for here in _by_file(batch).values():
        doubtful = [candidate for candidate in here if candidate.place in suspects]
        middle = len(doubtful) // 2 if len(doubtful) == len(here) else 0
        groups[0].extend([c for c in here if c not in doubtful] + doubtful[:middle])
        groups[1].extend(doubtful[middle:])
    middle = len(batch) // 2
    yield from groups if all(groups) else (batch[:middle], batch[middle:])


def _by_file(batch: Sequence[Candidate]) -> dict[str, list[Candidate]]:
    found: dict[str, list[Candidate]] = {}
    for candidate in batch:
        found.setdefault(candidate.finding.path, []).append(candidate)
    return found


def _suspected(batch: Sequence[Candidate], key: Key) -> list[Candidate]:
    """Those that may have to do with a finding, as few as can be told."""
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
