"""`racelint scan --confirm`: verdicts on findings, through every layer."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.command import racelint

VERDICT_KEYS = {"status", "effect", "schedule", "schedules_run", "interpreters", "outcome", "expected", "reason"}


def test_a_finding_gets_a_verdict_that_replays() -> None:
    answer = racelint("scan", "bank", "advice.py", "--confirm", "--isolated", "--output-format", "json")
    assert answer.returncode == 1, answer
    advice, race = json.loads(answer.stdout)["findings"]
    assert (advice["code"], advice["verdict"]) == ("RL211", None)
    assert set(race["verdict"]) == VERDICT_KEYS
    assert (race["verdict"]["status"], race["verdict"]["effect"]) == ("confirmed", "lost-update")
    assert race["verdict"]["interpreters"]["free-threaded"] in ("observed", "modelled")
    assert race["verdict"]["outcome"] not in race["verdict"]["expected"]
    assert racelint("replay", race["verdict"]["schedule"]).returncode == 1


def test_the_text_shows_the_interleaving() -> None:
    answer = racelint("scan", "bank", "--confirm", "--isolated")
    assert answer.returncode == 1, answer
    for part in (
        "verdict: confirmed (lost-update)",
        "│",
        "seen:",
        "expected:",
        "racelint replay rl1:",
        "(1 confirmed)",
    ):
        assert part in answer.stdout


def test_only_what_is_confirmed_fails_where_that_is_asked_for(tmp_path: Path) -> None:
    strict = ("--fail-on", "confirmed")
    (tmp_path / "a.py").write_text("x = (\n")
    unproved = ("scan", "--confirm")
    assert racelint(*unproved, cwd=tmp_path).returncode == 1
    assert racelint(*unproved, *strict, cwd=tmp_path).returncode == 0
    assert racelint("scan", "bank", "--confirm", "--isolated", *strict).returncode == 1
    without = racelint("scan", "bank", *strict)
    assert (without.returncode, "goes with --confirm" in without.stderr) == (2, True)


def test_an_interpreter_that_is_not_there_is_an_error_and_the_findings_stay() -> None:
    answer = racelint("scan", "bank", "--confirm", "--python", "/no/such/python", "--output-format", "json")
    assert answer.returncode == 2
    report = json.loads(answer.stdout)
    assert [error["kind"] for error in report["errors"]] == ["interpreter"]
    assert [finding["verdict"] for finding in report["findings"]] == [None]
