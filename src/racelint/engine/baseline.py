"""Known findings in a file, so that an old code base fails only for new ones.

An entry is found again by its fingerprint, which edits above and below do not change. What is left over is matched more
loosely: the same defect whose line was edited, then the same defect in a file that has another name by now.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from racelint.model.finding import Finding
from racelint.model.result import CannotScan, ScanResult

DEFAULT_NAME = "racelint-baseline.json"
VERSION = 1


class BadBaseline(CannotScan):
    """The file cannot be used; the text names it and says why."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One known finding. `path` is relative to the file's folder, `text` the flagged line with its blanks folded."""

    code: str
    path: str
    symbol: str = ""
    subject: str = ""
    text: str = ""
    fingerprint: str

    @property
    def defect(self) -> tuple[str, str, str]:
        """What stays of a finding when its file is renamed: the subject without the module that the path names."""
        file = PurePosixPath(self.path)
        module = file.parent.name if file.stem == "__init__" else file.stem
        parts = self.subject.split(".")
        return self.code, self.symbol, ".".join(parts[parts.index(module) + 1 :] if module in parts else parts)


class Baseline(msgspec.Struct, frozen=True):
    """The entries of a file in its order, and the 1-based line that each stands on."""

    entries: tuple[Entry, ...] = ()
    lines: tuple[int, ...] = ()


class _Document(msgspec.Struct, frozen=True):
    version: int
    findings: tuple[Entry, ...] = ()


class Match(msgspec.Struct, frozen=True):
    """Which findings are known, by position, and which entries stand for none, by position."""

    known: frozenset[int]
    stale: tuple[int, ...]


def read_baseline(path: str) -> Baseline:
    """The baseline in a file. Raises BadBaseline."""
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
        document = msgspec.json.decode(text, type=_Document)
    except OSError as error:
        raise BadBaseline(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, msgspec.MsgspecError) as error:
        raise BadBaseline(f"{path}: no baseline of racelint: {error}") from None
    if document.version != VERSION:
        raise BadBaseline(f"{path}: its version is {document.version}, this racelint reads {VERSION}; write it again")
    return Baseline(document.findings, tuple(_lines_of(text, document.findings)))


def render_baseline(entries: Iterable[Entry]) -> str:
    """The file's text: one entry a line, sorted, so that two branches merge and a diff reads well."""
    ordered = sorted(
        entries, key=lambda entry: (entry.path, entry.code, entry.symbol, entry.subject, entry.fingerprint)
    )
    lines = ",\n".join(f"    {msgspec.json.encode(entry).decode()}" for entry in ordered)
    body = f"[\n{lines}\n  ]" if lines else "[]"
    return f'{{\n  "version": {VERSION},\n  "findings": {body}\n}}\n'


def entries_of(result: ScanResult, relative: Callable[[str], str]) -> list[Entry]:
    """An entry for each finding; `relative` turns a shown path into one relative to the baseline's folder."""
    return [entry_of(finding, result.lines, relative) for finding in result.findings]


def entry_of(finding: Finding, lines: Mapping[str, Sequence[str]], relative: Callable[[str], str]) -> Entry:
    """The entry that stands for `finding`."""
    source = lines.get(finding.path, ())
    text = source[finding.line - 1] if 0 < finding.line <= len(source) else ""
    return Entry(
        code=finding.code,
        path=relative(finding.path),
        symbol=finding.symbol,
        subject="" if finding.subject == finding.path else finding.subject,
        text=" ".join(text.split()),
        fingerprint=finding.fingerprint,
    )


def match(found: Sequence[Entry], known: Sequence[Entry], gone: Callable[[str], bool]) -> Match:
    """Pair the findings (as entries) with the known ones, each at most once, the surest way first.

    `gone` says of a path whether that file is no more: only then may its entries stand for findings elsewhere.
    """
    open_found = dict.fromkeys(range(len(found)))
    open_known = dict.fromkeys(range(len(known)))
    ways: tuple[tuple[Callable[[Entry], Hashable], bool], ...] = (
        (lambda entry: (entry.fingerprint, entry.path), False),
        (lambda entry: (entry.path, entry.defect, entry.text), False),
        (lambda entry: (entry.path, entry.defect), False),
        (lambda entry: (entry.defect, entry.text), True),
    )
    for key, moved in ways:
        waiting: dict[Hashable, list[int]] = {}
        for position in open_known:
            if not moved or gone(known[position].path):
                waiting.setdefault(key(known[position]), []).append(position)
        for position in list(open_found):
            if candidates := waiting.get(key(found[position])):
                del open_known[candidates.pop(0)]
                del open_found[position]
    return Match(frozenset(range(len(found))) - open_found.keys(), tuple(open_known))


def relative_to(folder: str, here: str) -> Callable[[str], str]:
    """Turns a path shown to a user in `here` into one relative to `folder`, with forward slashes."""
    return lambda display: os.path.relpath(os.path.join(here, display), folder).replace(os.sep, "/")


def _lines_of(text: str, entries: Collection[Entry]) -> Iterable[int]:
    """The line of each entry: that of its fingerprint, the next one for equal ones."""
    start = 0
    for entry in entries:
        found = text.find(msgspec.json.encode(entry.fingerprint).decode(), start)
        start = found + 1 if found >= 0 else start
        yield text.count("\n", 0, max(found, 0)) + 1
