"""The README says what a real run says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from racelint.engine.selection import rule_book

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_transcript_is_real() -> None:
    command = [sys.executable, "-m", "racelint", "scan", "examples/money_race.py"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    finding = answer.stdout.rsplit("\n\n", 1)[0]
    assert "RL101" in finding
    assert finding in README


def test_the_proof_is_real() -> None:
    """But for how many schedules it took, and what stands for the schedule: those follow from the search."""
    command = [sys.executable, "-m", "racelint", "scan", "examples/money_race.py", "--confirm"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8")
    shown = README.partition("$ racelint scan examples/money_race.py --confirm\n")[2].partition("```")[0]
    assert _without_the_search(answer.stdout) == _without_the_search(shown)


def _without_the_search(text: str) -> str:
    return re.sub(r"rl1:\S+", "rl1:…", re.sub(r"\d+ schedules run", "N schedules run", text))


def test_every_rule_is_listed_and_no_other() -> None:
    listed = re.findall(r"^\| (RL\d{3}) \| ([a-z-]+) \| (.*) \|$", README, re.MULTILINE)
    assert listed == [(rule.code, rule.name, rule.summary) for rule in rule_book()]


def test_the_commands_exist() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"^    make (\w+)", README, re.MULTILINE)) <= set(targets)
    from racelint.cli.main import SUBCOMMANDS

    assert set(re.findall(r"^    racelint (\w+)", README, re.MULTILINE)) == set(SUBCOMMANDS)
