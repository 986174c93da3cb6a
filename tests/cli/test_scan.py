"""`racelint scan` from outside: exit codes, selection, suppression, formats, streams."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import INPUTS, race, racelint, scan_json

FINDING_KEYS = {
    *("code", "name", "message", "path", "line", "column", "end_line", "end_column", "severity", "confidence"),
    *("evidence", "symbol", "subject", "trace", "fingerprint", "verdict", "fix", "no_fix_reason"),
}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["clean.py"], 0),
        (["bank"], 1),
        (["bank", "--exit-zero"], 0),
        (["bank", "--ignore", "RL1"], 0),
        (["bank", "--select", "RL101"], 1),
        (["bank", "--select", "RL9"], 0),
        (["bank", "--min-severity", "error"], 1),
        (["nowhere"], 2),
        (["bank", "nowhere", "--exit-zero"], 2),
        (["bank", "--select", "RL666"], 2),
        (["bank", "--output-format", "xml"], 2),
        (["bank", "--no-such-flag"], 2),
        (["bank", "-j", "0"], 2),
        (["bank", "--config", "nowhere.toml"], 2),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    answer = racelint("scan", *arguments)
    assert answer.returncode == code, answer
    assert "Traceback" not in answer.stderr
    assert bool(answer.stderr) is (code == 2)


def test_the_default_is_the_working_directory() -> None:
    assert racelint("scan", cwd=INPUTS / "bank").returncode == 1


def test_a_missing_path_does_not_keep_the_rest_from_being_scanned() -> None:
    answer = racelint("scan", "nowhere", "bank", "--output-format", "concise")
    assert answer.returncode == 2
    assert answer.stderr == "racelint: error: nowhere: no such file or directory\n"
    assert "bank/account.py:6:" in answer.stdout


def test_json_is_one_object_with_the_promised_keys() -> None:
    report = scan_json("bank")
    assert set(report) == {"version", "findings", "errors", "summary"}
    assert report["errors"] == []
    (finding,) = [f for f in report["findings"] if f["code"] == "RL101"]
    assert set(finding) == FINDING_KEYS
    assert (finding["path"], finding["name"], finding["severity"]) == ("bank/account.py", "unguarded-mutation", "error")
    assert finding["subject"] == "bank.account.Account.money"
    assert finding["symbol"] in ("Account.stingy", "Account.spendy")
    assert finding["verdict"] is None
    source = (INPUTS / "bank/account.py").read_text().splitlines()[finding["line"] - 1]
    assert source[finding["column"] - 1 :].startswith("self.money")
    for step in finding["trace"]:
        assert set(step) == {"role", "message", "path", "line", "column", "lockset"}
        assert step["role"] in ("access", "conflict", "call", "root", "lock")
    assert {step["role"] for step in finding["trace"]} >= {"access", "conflict", "root"}


def test_a_configuration_error_is_json_too(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.racelint]\nselct = []\n")
    answer = racelint("scan", "--output-format", "json", cwd=tmp_path)
    assert answer.returncode == 2
    assert [error["kind"] for error in json.loads(answer.stdout)["errors"]] == ["configuration"]
    assert "did you mean `select`?" in answer.stderr


def test_a_thread_in_another_file_counts_only_where_it_is_analysed() -> None:
    assert scan_json("bank/account.py")["findings"] == []
    whole = scan_json("bank/account.py", "--scope", "project", cwd=INPUTS / "bank")
    assert whole["findings"] == []  # no project file marks the top, so the folder is the project
    both = scan_json("bank/account.py", "bank/main.py")
    assert [f["path"] for f in both["findings"]] == ["bank/account.py"]


def test_imported_files_are_analysed_and_not_reported() -> None:
    report = scan_json("bank/main.py")
    assert report["findings"] == []
    assert report["summary"]["context_files"] >= 1


def test_the_whole_project_can_be_the_scope(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "bank").symlink_to(INPUTS / "bank")
    for name in ("account", "main"):
        (tmp_path / f"{name}.py").write_text((INPUTS / f"bank/{name}.py").read_text().replace("bank.", ""))
    assert scan_json("account.py", cwd=tmp_path)["findings"] == []
    assert len(scan_json("account.py", "--scope", "project", cwd=tmp_path)["findings"]) == 1


def test_paths_are_relative_where_they_lie_below_and_absolute_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.py").write_text(race())
    path = str(tmp_path / "sub/a.py")
    assert scan_json(path, cwd=tmp_path)["findings"][0]["path"] == "sub/a.py"
    assert scan_json(path, cwd=INPUTS)["findings"][0]["path"] == path
    assert scan_json("../sub/a.py", cwd=tmp_path / "sub")["findings"][0]["path"] == "a.py"


def test_the_fingerprint_survives_edits_above_and_another_working_directory(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.py").write_text(race())
    before = scan_json("sub", cwd=tmp_path)["findings"]
    (tmp_path / "sub/a.py").write_text("# a comment\n\n" + race())
    after = scan_json(cwd=tmp_path / "sub")["findings"]
    assert [f["fingerprint"] for f in before] == [f["fingerprint"] for f in after]
    assert before[0]["line"] + 2 == after[0]["line"]


@pytest.mark.parametrize(
    ("comment", "suppressed"),
    [
        ("  # racelint: ignore[RL101] a statistic", 1),
        ("  # noqa: RL101", 1),
        ("  # noqa", 0),
        ("  # racelint: ignore[RL102]", 0),
    ],
)
def test_suppression(comment: str, suppressed: int, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race(comment))
    report = scan_json("a.py", cwd=tmp_path)
    assert report["summary"]["suppressed"] == suppressed
    assert len(report["findings"]) == 1 - suppressed


def test_info_is_in_the_json_and_neither_in_the_text_nor_in_the_exit_code() -> None:
    report = scan_json("advice.py")
    assert {f["severity"] for f in report["findings"]} == {"info"}
    quiet = racelint("scan", "advice.py", "--output-format", "concise")
    assert quiet.returncode == 0
    assert quiet.stdout == "no findings in 1 file (1 below `warning` not shown)\n"
    asked = racelint("scan", "advice.py", "--output-format", "concise", "--min-severity", "info")
    assert asked.returncode == 0
    assert "RL211" in asked.stdout


def test_configuration_selects_excludes_and_declares_contracts(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race())
    (tmp_path / "vendor").mkdir()
    (tmp_path / "vendor/b.py").write_text(race())
    (tmp_path / "store.py").write_text("class Store:\n    n = 0\n    def add(self):\n        self.n = self.n + 1\n")
    settings = tmp_path / "pyproject.toml"

    def paths(text: str) -> list[str]:
        settings.write_text(text)
        answer = racelint("scan", "--output-format", "json", cwd=tmp_path)
        return [finding["path"] for finding in json.loads(answer.stdout)["findings"]]

    assert paths("") == ["a.py", "vendor/b.py"]
    assert paths("[tool.racelint]\nexclude = ['vendor/']\n") == ["a.py"]
    assert paths("[tool.racelint]\nignore = ['RL101']\n") == []
    assert "store.py" in paths("[tool.racelint.contracts]\nthread-safe = ['store.Store']\n")


def test_output_goes_to_a_file(tmp_path: Path) -> None:
    answer = racelint("scan", "bank", "-o", str(tmp_path / "report.txt"), "--color", "auto")
    assert (answer.returncode, answer.stdout) == (1, "")
    assert "RL101 unguarded-mutation" in (tmp_path / "report.txt").read_text()
    assert racelint("scan", "bank", "-o", str(tmp_path / "no/such/folder")).returncode == 2


def test_colour_is_for_terminals_and_for_who_asks() -> None:
    assert "\x1b[" not in racelint("scan", "bank").stdout
    assert "\x1b[" in racelint("scan", "bank", "--color", "always").stdout
    assert "\x1b[" in racelint("scan", "bank", env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b[" not in racelint("scan", "bank", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout


def test_a_terminal_gets_colour(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "NO_COLOR": "", "FORCE_COLOR": ""}
    command = [sys.executable, "-m", "racelint", "scan", "bank", "--output-format", "concise"]
    subprocess.run(command, cwd=INPUTS, stdout=theirs, env=environ, timeout=60)
    os.close(theirs)
    assert b"\x1b[31;1merror" in os.read(ours, 100_000)
    os.close(ours)


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    for number in range(300):
        (tmp_path / f"m{number}.py").write_text("x = (\n")
    command = f"{sys.executable} -m racelint scan . | head -1"
    answer = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert answer.stderr == ""
    assert answer.stdout.startswith("m0.py:1:")


def test_an_internal_error_is_said_in_a_line_and_exits_2(tmp_path: Path) -> None:
    script = (
        "import racelint.engine.discover as d, os; d.os = None\nfrom racelint.cli.main import main; "
        "import sys; sys.argv[1:] = ['scan', '.']; main()"
    )
    command = [sys.executable, "-c", script]
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert answer.returncode == 2
    assert answer.stderr.startswith("racelint: internal error: AttributeError:")
    environ = {**os.environ, "RACELINT_TRACEBACK": "1"}
    answer = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=environ)
    assert "Traceback" in answer.stderr


def test_help_and_version() -> None:
    assert "racelint, version" in racelint("--version").stdout
    for command in ("scan", "rule"):
        answer = racelint(command, "--help")
        assert (answer.returncode, answer.stderr) == (0, "")
        assert "Usage: racelint " + command in answer.stdout
    assert racelint("scna").returncode == 2


def test_rule_explains_by_code_and_by_name() -> None:
    by_code = racelint("rule", "RL101")
    assert by_code.returncode == 0
    assert by_code.stdout.startswith("RL101 unguarded-mutation (error, on by default, can be confirmed")
    assert "## Why is this bad?" in by_code.stdout
    assert racelint("rule", "unguarded-mutation").stdout == by_code.stdout
    one = json.loads(racelint("rule", "RL900", "--output-format", "json").stdout)
    assert (one["code"], one["name"], one["confirmable"]) == ("RL900", "unreadable-file", False)
    every = racelint("rule", "--all").stdout.splitlines()
    assert [line.split()[0] for line in every] == sorted(line.split()[0] for line in every)
    assert len(json.loads(racelint("rule", "--all", "--output-format", "json").stdout)) == len(every)


@pytest.mark.parametrize("arguments", [["rule"], ["rule", "RL667"], ["rule", "nonsense"]])
def test_rule_refuses_what_is_no_rule(arguments: list[str]) -> None:
    answer = racelint(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "Traceback" not in answer.stderr
