"""The comments by which a source file says what racelint must answer about it.

A trailing comment of code words marks the line of a finding: `# RL101`, `# RL101 RL401`. Words change what follows:
`maybe` (allowed, not demanded), `FN` (a real defect that is known to be missed: no finding is expected),
`FP` (correct code that is known to be flagged: the finding is expected, until the cause is fixed).
Lines `# expect: …`, `# target: …` and `# expect-target: …` say what scanning and confirming a whole file must answer.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

CODE = re.compile(r"RL\d{3}")
MARKER = re.compile(r"#\s*((?:(?:maybe|FN|FP|RL\d{3})\s*)+)$")
HEADER = re.compile(r"^# (expect|target|expect-target): (.+)$", re.MULTILINE)

Place = tuple[str, int, str]
"""Path relative to the case, 1-based line, code."""


@dataclass
class Marked:
    """What the comments of one file or folder ask for."""

    expected: set[Place] = field(default_factory=set)
    allowed: set[Place] = field(default_factory=set)
    missed: set[Place] = field(default_factory=set)

    def add_file(self, file: Path, name: str) -> None:
        for line, comment in comments(file):
            match = MARKER.search(comment)
            if match is None:
                continue
            into = self.expected
            for word in match[1].split():
                if CODE.fullmatch(word):
                    into.add((name, line, word))
                else:
                    into = {"maybe": self.allowed, "FN": self.missed, "FP": self.expected}[word]


def comments(file: Path) -> list[tuple[int, str]]:
    """Every comment of `file` with its 1-based line."""
    tokens = tokenize.generate_tokens(io.StringIO(file.read_text(encoding="utf-8")).readline)
    return [(token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT]


def marked(case: Path) -> Marked:
    """The markers of a file, or of all Python files below a folder."""
    found = Marked()
    files = sorted(case.rglob("*.py")) if case.is_dir() else [case]
    for file in files:
        found.add_file(file, file.relative_to(case).as_posix() if case.is_dir() else file.name)
    return found


def header(file: Path) -> dict[str, list[str]]:
    """The `# key: value` lines of a file, in order."""
    lines: dict[str, list[str]] = {}
    for key, value in HEADER.findall(file.read_text(encoding="utf-8")):
        lines.setdefault(key, []).append(value.strip())
    return lines
