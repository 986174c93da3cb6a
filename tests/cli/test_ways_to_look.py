"""Counting, listing, standard input, and writing comments: what else a scan can do."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

from racelint.config.schema import json_schema
from racelint.engine.add_ignore import with_ignores
from racelint.model.finding import Finding
from tests.cli.command import race, racelint, scan_json

SCHEMA_FILE = Path(__file__).parents[2] / "racelint.schema.json"


def test_statistics_count_each_rule() -> None:
    answer = racelint("scan", "--isolated", "--statistics", "bank", "advice.py", "--min-severity", "info")
    assert answer.returncode == 1
    assert answer.stdout == "1  RL101  unguarded-mutation\n1  RL211  manual-acquire\n1 error, 1 info in 4 files\n"
    counted = racelint("scan", "--isolated", "--statistics", "bank", "--output-format", "json").stdout
    assert json.loads(counted) == [{"code": "RL101", "name": "unguarded-mutation", "count": 1}]
    assert racelint("scan", "--statistics", "--output-format", "sarif").returncode == 2


def test_the_files_that_would_be_scanned(tmp_path: Path) -> None:
    for name in ("a.py", "b/c.py", "vendor/d.py", "e.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = (")
    (tmp_path / "racelint.toml").write_text("exclude = ['vendor']\n")
    answer = racelint("scan", "--show-files", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "a.py\nb/c.py\n")
    assert racelint("scan", "--show-files", "nowhere", cwd=tmp_path).returncode == 2


def test_the_settings_that_would_hold_are_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/b.py").write_text("")
    (tmp_path / "racelint.toml").write_text("ignore = ['RL4']\nper-file-ignores = {'tests/' = ['RL1']}\n")
    (tmp_path / "sub/racelint.toml").write_text("confirm = {budget = 3}\n")
    answer = racelint("scan", "--show-settings", "--select", "RL1", cwd=tmp_path)
    assert answer.returncode == 0
    outer, inner = answer.stdout.split(f"\n# {tmp_path / 'sub/racelint.toml'}\n")
    assert outer.startswith(f"# {tmp_path / 'racelint.toml'}\n")
    shown = tomllib.loads(outer)
    assert (shown["select"], shown["ignore"], shown["per-file-ignores"]) == (["RL1"], ["RL4"], {"tests/": ["RL1"]})
    assert tomllib.loads(inner)["confirm"]["budget"] == 3.0
    (tmp_path / "racelint.toml").write_text(outer)
    assert racelint("scan", "--show-settings", "a.py", cwd=tmp_path).stdout == outer + ""


def test_standard_input_is_a_file_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.py").write_text("")
    (tmp_path / "sub/racelint.toml").write_text("ignore = ['RL101']\n")

    def scanned(*arguments: str, text: str = race()) -> tuple[int, str]:
        command = [sys.executable, "-m", "racelint", "scan", "-", "--output-format", "concise", *arguments]
        done = subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout or done.stderr

    assert scanned()[1].startswith("stdin.py:9:9: error RL101")
    assert scanned("--stdin-filename", "new.py")[1].startswith("new.py:9:9: error RL101")
    assert scanned("--stdin-filename", "sub/a.py") == (0, "no findings in 1 file\n")
    assert scanned("--stdin-filename", "sub/a.py", "--isolated")[0] == 1, "not what the disk holds"
    assert scanned("--stdin-filename", "x.py", text="x = (")[1].startswith("x.py:1:5: error RL900")
    assert scanned("other.py")[0] == 2


def test_unsaved_text_is_judged_in_the_light_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "app.py").write_text(
        "import threading\nfrom counter import Counter\n\nc = Counter()\n"
        + "threading.Thread(target=c.add).start()\n" * 2
    )
    (tmp_path / "counter.py").write_text("class Counter:\n    n = 0\n\n    def add(self):\n        pass\n")
    command = [sys.executable, "-m", "racelint", "scan", "-", "--stdin-filename", "counter.py", "--scope", "project"]
    text = "class Counter:\n    n = 0\n\n    def add(self):\n        self.n += 1\n"
    answer = subprocess.run(command, cwd=tmp_path, input=text, capture_output=True, text=True, timeout=60)
    assert answer.stdout.startswith("counter.py:5:9: error RL101"), answer


def test_comments_are_added_once_and_hold(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race() + "\n" + race("  # why").replace("Counter", "Other"))
    answer = racelint("scan", "--add-ignore=old code", ".", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "racelint: 2 findings silenced in 1 file\n")
    written = (tmp_path / "a.py").read_text()
    assert "self.n += 1  # racelint: ignore[RL101] old code\n" in written
    assert "self.n += 1  # why  # racelint: ignore[RL101] old code\n" in written
    assert racelint("scan", cwd=tmp_path).returncode == 0
    assert racelint("scan", "--add-ignore", ".", cwd=tmp_path).returncode == 0
    assert (tmp_path / "a.py").read_text() == written


def test_add_ignore_takes_no_path_for_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race())
    assert racelint("scan", "--add-ignore", "a.py", cwd=tmp_path).returncode == 0
    assert "self.n += 1  # racelint: ignore[RL101]\n" in (tmp_path / "a.py").read_text()


def test_what_no_comment_silences_is_still_told(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = (\n")
    answer = racelint("scan", "--add-ignore", cwd=tmp_path)
    assert answer.returncode == 1
    assert (tmp_path / "a.py").read_text() == "x = (\n"


def at(line: int, code: str = "RL101") -> Finding:
    place = {"line": line, "column": 1, "end_line": line, "end_column": 2}
    words = {"name": "", "message": "", "why": "", "path": "", "symbol": "", "subject": ""}
    return Finding(code=code, severity="error", confidence="high", evidence=None, **place, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        (b"x = 1\n", [1], b"x = 1  # racelint: ignore[RL101]\n"),
        (b"x = 1   \r\ny = 2\r\n", [1], b"x = 1  # racelint: ignore[RL101]\r\ny = 2\r\n"),
        (b"x = 1", [1], b"x = 1  # racelint: ignore[RL101]"),
        (b"x = 1 + \\\n  2\n", [1], b"x = 1 + \\\n  2  # racelint: ignore[RL101]\n"),
        (b"f(\n  x,\n  y)\n", [2], b"f(\n  x,  # racelint: ignore[RL101]\n  y)\n"),
        (b"f('''\na''', x,\n  y)\n", [1], b"f('''\na''', x,  # racelint: ignore[RL101]\n  y)\n"),
        (b"x = 1  # racelint: ignore[RL2] a\n", [1], b"x = 1  # racelint: ignore[RL2, RL101] a\n"),
        (b"# coding: latin-1\nx = '\xe9'\n", [2], b"# coding: latin-1\nx = '\xe9'  # racelint: ignore[RL101]\n"),
        (b"\xef\xbb\xbfx = 1\n", [1], b"\xef\xbb\xbfx = 1  # racelint: ignore[RL101]\n"),
        (b"x = 1\n\x0cy = 2\n", [2], b"x = 1\n\x0cy = 2  # racelint: ignore[RL101]\n"),
    ],
)  # fmt: skip
def test_a_comment_goes_where_it_can_stand(before: bytes, lines: list[int], after: bytes) -> None:
    assert with_ignores(before, [at(line) for line in lines]) == after
    assert with_ignores(after, [at(line) for line in lines]) == after


def test_a_comment_behind_a_long_string_silences_what_stands_before_it(tmp_path: Path) -> None:
    text = race().replace("self.n += 1", "self.n += len([1, '''\n''', 2,\n 3])")
    (tmp_path / "a.py").write_text(text)
    assert [f["line"] for f in scan_json(cwd=tmp_path)["findings"]] == [9]
    assert racelint("scan", "--add-ignore", cwd=tmp_path).returncode == 0
    assert "''', 2,  # racelint: ignore[RL101]\n" in (tmp_path / "a.py").read_text()
    assert scan_json(cwd=tmp_path)["findings"] == []


def test_every_key_is_explained() -> None:
    listed = [line.split()[0] for line in racelint("config").stdout.splitlines()]
    assert {"select", "per-file-ignores", "contracts.thread-safe", "confirm.budget"} <= set(listed)
    for name in listed:
        answer = racelint("config", name)
        assert answer.stdout.startswith(f"{name}\n\n")
        assert "Default:" in answer.stdout
    assert racelint("config", "contracts").stdout.count("Default:") == 2
    wrong = racelint("config", "selct")
    assert (wrong.returncode, "did you mean `select`?" in wrong.stderr) == (2, True)


def test_the_schema_in_the_repository_is_the_one_the_command_prints() -> None:
    printed = racelint("config", "--schema").stdout
    assert printed == SCHEMA_FILE.read_text(encoding="utf-8"), "racelint config --schema > racelint.schema.json"
    jsonschema.Draft7Validator.check_schema(json.loads(printed))


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("select = ['RL1']\n[confirm]\nbudget = 1\n", True),
        ("target-version = ['3.13', '3.14t']\n", True),
        ("selct = []\n", False),
        ("select = 'RL1'\n", False),
        ("[confirm]\nbudget = 0\n", False),
        ("min-severity = 'eror'\n", False),
    ],
)
def test_the_schema_agrees_with_the_command(text: str, valid: bool, tmp_path: Path) -> None:
    assert jsonschema.Draft7Validator(json_schema()).is_valid(tomllib.loads(text)) is valid
    (tmp_path / "racelint.toml").write_text(text)
    (tmp_path / "a.py").write_text("")
    assert (racelint("scan", cwd=tmp_path).returncode == 0) is valid
