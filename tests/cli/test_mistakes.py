"""What a user is told who mistypes, or who has the words of another linter in the fingers."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import INPUTS, race, racelint


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("scna", "did you mean `racelint scan`?"),
        ("check", "did you mean `racelint scan`?"),
        ("bank", "did you mean `racelint scan bank`?"),
        ("version", "did you mean `racelint --version`?"),
        ("help nope", "no such command 'nope'"),
        ("scan --slect RL1", "'--select'"),
        ("scan --silent", "did you mean `--quiet`?"),
        ("scan -f json", "did you mean `--output-format`?"),
        ("scan --add-noqa", "did you mean `--add-ignore`?"),
        ("scan --select RL1O1", "did you mean RL101?"),
        ("scan --select RL9999", "`racelint rule --all` lists them"),
        ("scan --target-version py313", 'did you mean `"3.13"`?'),
        ("scan --target-version 3.7", 'the choices are "3.8", "3.9", "3.10"'),
        ("rule unguarded", "did you mean unguarded-mutation?"),
        ("rule RL1O1", "did you mean RL101?"),
        ("config slect", "did you mean `select`?"),
    ],
)
def test_the_nearest_right_word_is_named(line: str, hint: str) -> None:
    answer = racelint(*line.split())
    assert (answer.returncode, answer.stdout) == (2, "")
    assert hint.lower() in answer.stderr.splitlines()[0].lower()


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("racelint rule RL10", "RL101"),
        ("racelint scan --select RL2", "RL204"),
        ("racelint scan --ignore RL101,rl2", "RL101,RL204"),
        ("racelint config conf", "confirm.budget"),
        ("racelint scan --output-format s", "sarif"),
    ],
)
def test_the_shell_completes_what_may_stand_there(words: str, completed: str) -> None:
    asked = {"_RACELINT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    assert f"plain,{completed}" in racelint(env=asked).stdout.splitlines()


def test_help_is_a_command_too() -> None:
    assert racelint("help").stdout == racelint("--help").stdout
    assert racelint("help", "rule").stdout == racelint("rule", "-h").stdout
    bare = racelint()
    assert (bare.returncode, bare.stdout) == (2, "")
    assert bare.stderr.startswith("Usage: racelint"), "no complaint, but what there is"


def test_quiet_says_what_is_found_and_nothing_else(tmp_path: Path) -> None:
    clean = racelint("scan", "-q", cwd=tmp_path)
    assert (clean.returncode, clean.stdout, clean.stderr) == (0, "", ""), "no Python files is a warning"
    (tmp_path / "a.py").write_text(race())
    for output_format in ("full", "concise", "grouped", "github"):
        loud = racelint("scan", "--output-format", output_format, cwd=tmp_path).stdout
        quiet = racelint("scan", "--quiet", "--output-format", output_format, cwd=tmp_path)
        assert quiet.returncode == 1
        assert loud.startswith(quiet.stdout.rstrip())
        assert loud.removeprefix(quiet.stdout.rstrip()).strip() == "1 error in 1 file"
    assert racelint("scan", "-q", "--statistics", cwd=tmp_path).stdout == "1  RL101  unguarded-mutation\n"
    assert "no such file" in racelint("scan", "-q", "nowhere", cwd=tmp_path).stderr
    for command in ("baseline", "report", "fix"):
        answer = racelint(command, "-q", cwd=tmp_path)
        assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")


def test_verbose_says_what_held_and_what_was_looked_at(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import b\n" + race())
    (tmp_path / "b.py").write_text("import threading\n")
    (tmp_path / "racelint.toml").write_text("")
    for command in ("scan", "baseline", "report", "fix"):
        said = racelint(command, "-v", "a.py", cwd=tmp_path).stderr
        assert f"racelint: configuration: {tmp_path / 'racelint.toml'}\n" in said
        assert f"racelint: project: {tmp_path}\n" in said
        assert "racelint: 1 file scanned, 1 more analysed with" in said


def in_a_shell(line: str, cwd: Path = INPUTS) -> subprocess.CompletedProcess[str]:
    """Run a line with `racelint` in it as a shell does."""
    command = f"{shlex.quote(sys.executable)} -P -m racelint"
    return subprocess.run(
        line.replace("racelint", command), shell=True, cwd=cwd, capture_output=True, text=True, timeout=60
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("arguments", ["scan bank", "scan bank --output-format json", "rule RL101", "--help"])
def test_a_full_disk_is_named(arguments: str) -> None:
    answer = in_a_shell(f"racelint {arguments} > /dev/full")
    assert answer.returncode == 2
    assert answer.stderr == "racelint: error: cannot write to standard output: No space left on device\n"


def test_closed_streams_are_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race())
    for closed in (">&-", "2>&-", "<&-", ">&- 2>&- <&-"):
        answer = in_a_shell(f"racelint scan {closed}", tmp_path)
        assert answer.returncode == 1
        assert "Traceback" not in answer.stderr
    assert in_a_shell("racelint scan - <&-", tmp_path).returncode == 0


def test_a_file_of_our_own_may_have_the_table_of_pyproject(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race())
    (tmp_path / "racelint.toml").write_text("[tool.racelint]\nignore = ['RL101']\n")
    assert racelint("scan", cwd=tmp_path).returncode == 0
    (tmp_path / "racelint.toml").write_text("select = ['RL1']\n[tool.racelint]\nignore = ['RL101']\n")
    answer = racelint("scan", cwd=tmp_path)
    assert (answer.returncode, "unknown key `tool`" in answer.stderr) == (2, True)
