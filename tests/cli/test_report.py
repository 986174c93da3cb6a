"""`racelint report` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import race, racelint


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "counter.py").write_text(race(), encoding="utf-8")
    (tmp_path / "quiet.py").write_text("print('nothing to see')\n", encoding="utf-8")
    return tmp_path


def test_the_page_is_written_and_said_to_be(project: Path) -> None:
    answer = racelint("report", ".", "-o", "race.html", cwd=project)
    assert (answer.returncode, answer.stdout) == (0, "")
    assert answer.stderr == "race.html: 1 error in 2 files\n"
    text = (project / "race.html").read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    for part in ("RL101", "Counter.n", "counter.py", "quiet.py", "self.n"):
        assert part in text


def test_a_page_is_a_format_of_scan(project: Path) -> None:
    answer = racelint("scan", "--isolated", "--output-format", "html:page.html", "--output-format", "json", cwd=project)
    assert answer.returncode == 1
    assert json.loads(answer.stdout)["summary"]["error"] == 1
    assert "Counter.n" in (project / "page.html").read_text(encoding="utf-8")


def test_confirm_puts_the_interleaving_on_the_page(project: Path) -> None:
    answer = racelint("report", ".", "--confirm", cwd=project)
    assert answer.returncode == 0
    text = (project / "racelint.html").read_text(encoding="utf-8")
    assert "racelint replay rl1:" in text
    assert "which it has not seen" in text


def test_a_page_that_is_not_complete_says_so(project: Path) -> None:
    answer = racelint("report", ".", "gone.py", "-o", "race.html", cwd=project)
    assert answer.returncode == 2
    assert "gone.py" in answer.stderr
    assert "This scan is not complete" in (project / "race.html").read_text(encoding="utf-8")


def test_what_cannot_be_read_was_not_analysed(project: Path) -> None:
    (project / "broken.py").write_text("import threading\ndef f(:\n", encoding="utf-8")
    (project / "odd.py").write_text("def f(:\n", encoding="utf-8")
    racelint("report", ".", "-o", "race.html", cwd=project)
    text = (project / "race.html").read_text(encoding="utf-8")
    assert "<b>1</b> analysed" in text
    assert "<b>2</b> could not be read" in text
    racelint("report", ".", "-o", "race.html", "--ignore", "RL900", cwd=project)
    assert "<b>1</b> analysed" in (project / "race.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_an_error(project: Path) -> None:
    answer = racelint("report", ".", "-o", "missing/race.html", cwd=project)
    assert answer.returncode == 2
    assert "cannot write missing/race.html" in answer.stderr


def test_a_wrong_configuration_is_told(project: Path) -> None:
    (project / "racelint.toml").write_text("selekt = []\n", encoding="utf-8")
    answer = racelint("report", ".", cwd=project)
    assert answer.returncode == 2
    assert "did you mean `select`" in answer.stderr
    assert not (project / "racelint.html").exists()


def test_fixes_are_shown_unless_they_are_not_wanted(project: Path) -> None:
    for options, shown in ([], True), (["--no-fixes"], False):
        assert racelint("report", ".", "-o", "race.html", *options, cwd=project).returncode == 0
        assert ("Add a lock, and hold" in (project / "race.html").read_text(encoding="utf-8")) is shown


def test_the_same_files_make_the_same_page(project: Path) -> None:
    pages = set()
    for seed in ("1", "2"):
        assert racelint("report", ".", "-o", "race.html", cwd=project, env={"PYTHONHASHSEED": seed}).returncode == 0
        pages.add((project / "race.html").read_bytes())
    assert len(pages) == 1
