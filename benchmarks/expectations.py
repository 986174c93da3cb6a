"""What the header comments of an example or model ask `racelint confirm` to answer, and whether it did."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packages import HERE, REPOSITORY

EXAMPLES = REPOSITORY / "examples"
MODELS = HERE / "models"
HEADER = re.compile(r"^# (expect|target|expect-target): (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Expectation:
    """One target of one file. `effects` are the effects that will do; none means any. Not `confirmed`: no race."""

    file: Path
    target: str
    confirmed: bool
    effects: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.file.stem}::{self.target}"


@dataclass(frozen=True)
class Result:
    """What came of it: the verdict that decides (a confirmed one before others), and wall seconds for the command."""

    expectation: Expectation
    verdict: dict[str, Any]
    seconds: float
    trouble: str = ""

    @property
    def as_expected(self) -> bool:
        wanted = self.expectation
        if self.trouble:
            return False
        if not wanted.confirmed:
            return self.verdict["status"] in ("not-reproduced", "benign", "inconclusive")
        if self.verdict["status"] != "confirmed":
            return False
        return not wanted.effects or self.verdict["effect"] in wanted.effects

    @property
    def false_alarm(self) -> bool:
        return not self.expectation.confirmed and self.verdict.get("status") == "confirmed"


def expectations() -> list[Expectation]:
    """Of all examples and models, in the order of their names."""
    files = sorted(EXAMPLES.glob("*.py")) + sorted(MODELS.glob("*.py"))
    return [expectation for file in files for expectation in of_file(file)]


def of_file(file: Path) -> list[Expectation]:
    """`# target: T` with `# expect: …` or `# expect-target: …`; in an example `# expect: RL101 confirmed …` as well."""
    lines: dict[str, list[str]] = {"expect": [], "target": [], "expect-target": []}
    for key, value in HEADER.findall(file.read_text(encoding="utf-8")):
        lines[key].append(value.strip())
    found = []
    for value in lines["expect"]:
        code, _, rest = value.partition(" ")
        if re.fullmatch(r"RL\d{3}", code) and rest.startswith("confirmed"):
            found.append(_expectation(file, code, rest))
    answers = lines["expect-target"] or [value for value in lines["expect"] if not value.startswith("RL")]
    found += [_expectation(file, target, answer) for target, answer in zip(lines["target"], answers, strict=False)]
    return found


def _expectation(file: Path, target: str, answer: str) -> Expectation:
    status, _, effects = answer.partition(" ")
    assert status in ("confirmed", "not-confirmed"), f"{file.name}: {answer!r}"
    return Expectation(file, target, status == "confirmed", tuple(effects.split("|")) if effects else ())


def check(expectation: Expectation, *options: str) -> Result:
    """Run `racelint confirm` on the target, as a user would."""
    target = f"{expectation.file.name}::{expectation.target}"
    words = [sys.executable, "-m", "racelint", "confirm", target, "--isolated", "--output-format", "json", *options]
    begun = time.monotonic()
    done = subprocess.run(words, cwd=expectation.file.parent, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - begun
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return Result(expectation, {}, seconds, (done.stderr or done.stdout).strip()[-300:] or "no output")
    verdicts = [result["verdict"] for result in answer["results"]]
    if not verdicts:
        return Result(expectation, {}, seconds, "; ".join(e["message"] for e in answer["errors"]) or "no result")
    trouble = "" if done.returncode in (0, 1) else f"exit {done.returncode}"
    verdicts.sort(key=lambda verdict: verdict["status"] != "confirmed")
    return Result(expectation, verdicts[0], seconds, trouble)
