"""Adopting racelint on code that is not clean: what was there stays silent, what is new does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from racelint.engine.baseline import Entry, match
from tests.cli.command import race, racelint

FILE = "racelint-baseline.json"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.py").write_text(race())
    (tmp_path / "pkg/b.py").write_text(race())
    written = racelint("baseline", cwd=tmp_path)
    assert (written.returncode, written.stdout) == (0, f"2 findings in 2 files written to {FILE}\n"), written
    return tmp_path


def found(project: Path, *arguments: str, cwd: Path | None = None) -> list[str]:
    answer = racelint(
        "scan", "--baseline", str(project / FILE), "--output-format", "json", *arguments, cwd=cwd or project
    )
    assert answer.returncode in (0, 1), answer.stderr
    return [f"{f['code']} {f['path']}:{f['line']}" for f in json.loads(answer.stdout)["findings"]]


def test_known_findings_are_silent_and_counted(project: Path) -> None:
    assert found(project) == []
    answer = racelint("scan", "--baseline", FILE, "--output-format", "concise", cwd=project)
    assert (answer.returncode, answer.stdout) == (0, "no findings in 2 files (2 in the baseline)\n")
    assert racelint("scan", cwd=project).returncode == 1


def test_the_configuration_may_name_it(project: Path) -> None:
    (project / "pyproject.toml").write_text(f"[tool.racelint]\nbaseline = '{FILE}'\n")
    assert racelint("scan", cwd=project).returncode == 0
    assert racelint("scan", "a.py", cwd=project / "pkg").returncode == 0


def test_it_survives_edits_above_below_and_of_the_line_itself(project: Path) -> None:
    (project / "pkg/a.py").write_text("# above\n\n" + race() + "# below\n")
    assert found(project) == []
    (project / "pkg/a.py").write_text(race().replace("self.n += 1", "self.n += 2"))
    assert found(project) == []


def test_it_survives_the_renaming_of_a_file_and_of_a_folder(project: Path) -> None:
    (project / "pkg/a.py").rename(project / "pkg/renamed.py")
    assert found(project) == []
    (project / "pkg").rename(project / "moved")
    assert found(project) == []


def test_it_survives_another_working_directory(project: Path) -> None:
    assert found(project, cwd=project / "pkg") == []
    assert found(project, "a.py", cwd=project / "pkg") == []


def test_what_is_new_is_shown(project: Path) -> None:
    (project / "pkg/a.py").write_text(race() + race().replace("Counter", "Other"))
    (project / "pkg/c.py").write_text(race())
    assert found(project) == ["RL101 pkg/a.py:23", "RL101 pkg/c.py:9"], "a copy of a known finding is a new one"


def test_what_has_gone_is_told_at_its_entry(project: Path) -> None:
    (project / "pkg/a.py").write_text("")
    (project / "pkg/b.py").unlink()
    stale = found(project)
    lines = (project / FILE).read_text().splitlines()
    assert stale == [f"RL903 {FILE}:4", f"RL903 {FILE}:5"]
    assert ["pkg/a.py" in lines[3], "pkg/b.py" in lines[4]] == [True, True]
    assert found(project, "--ignore", "RL903") == []
    assert found(project, "--ignore", "RL101") == [], "a rule that did not run has not gone silent"
    assert found(project, "pkg/a.py") == [], "alone, the file does not see the threads of others"
    assert racelint("baseline", cwd=project).returncode == 0
    assert found(project) == []


def test_the_file_is_the_same_whatever_the_order_and_merges_by_line(project: Path) -> None:
    before = (project / FILE).read_text()
    assert racelint("baseline", "pkg/b.py", "pkg/a.py", "-o", "other.json", cwd=project).returncode == 0
    assert (project / "other.json").read_text() == before
    assert len(before.splitlines()) == 7


@pytest.mark.parametrize(
    "text", [None, "", "{}", "[]", '{"version": 2}', '{"version": 1, "findings": [{"code": 1}]}', "\xff"]
)
def test_a_file_that_is_no_baseline_is_refused_by_name(text: str | None, project: Path) -> None:
    (project / FILE).unlink()
    if text is not None:
        (project / FILE).write_bytes(text.encode("latin-1"))
    answer = racelint("scan", "--baseline", FILE, cwd=project)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(f"racelint: error: {FILE}: ")
    assert answer.stderr.count("\n") == 1


def test_nothing_is_written_where_something_could_not_be_scanned(project: Path) -> None:
    (project / FILE).unlink()
    answer = racelint("baseline", "pkg", "nowhere", cwd=project)
    assert answer.returncode == 2
    assert "no baseline written" in answer.stderr
    assert not (project / FILE).exists()


def entry(name: str, path: str = "a.py", text: str = "n += 1", subject: str = "a.C.n") -> Entry:
    return Entry(code="RL101", path=path, symbol="C.f", subject=subject, text=text, fingerprint=name)


def test_each_entry_stands_for_one_finding_and_the_surest_goes_first() -> None:
    def never(path: str) -> bool:
        return False

    twice = match([entry("x"), entry("y")], [entry("y")], never)
    assert (twice.known, twice.stale) == (frozenset({1}), ())
    edited = match([entry("new", text="n += 2"), entry("x")], [entry("x"), entry("old")], never)
    assert (edited.known, edited.stale) == (frozenset({0, 1}), ())
    elsewhere = entry("new", path="b.py", subject="b.C.n")
    assert match([elsewhere], [entry("old")], never).known == frozenset()
    assert match([elsewhere], [entry("old")], lambda path: path == "a.py").known == frozenset({0})
