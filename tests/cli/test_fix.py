"""`racelint fix` and `scan --fix` as a user has them: files on disk, exit codes, patches that apply."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from racelint.engine.fixing import write_changes
from racelint.model.mended import FileChange
from racelint.rules.registry import all_rules
from tests.cli.command import race, racelint, scan_json

CRLF_AND_TABS = (
    b"import threading\r\n\r\nlock = threading.Lock()\r\nn = 0\r\n\r\n\r\ndef up():\r\n"
    b"\tglobal n\r\n\tlock.acquire()\r\n\tn = int(n)\r\n\tlock.release()"
)
UNSAFE = """\
import pickle
import threading


class Counter:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1


counter = Counter()
for _ in range(2):
    threading.Thread(target=counter.add).start()
"""
WAITING = """\
import threading
import time

rows = {}


def load(key):
    if key not in rows:
        time.sleep(1)
        rows[key] = key


for _ in range(2):
    threading.Thread(target=load, args=(1,)).start()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "race.py").write_text(race())
    return tmp_path


def test_fix_writes_and_then_has_nothing_to_do(folder: Path) -> None:
    answer = racelint("fix", "race.py", cwd=folder)
    assert (answer.returncode, answer.stdout) == (0, "")
    assert "1 finding fixed in 1 file" in answer.stderr
    text = (folder / "race.py").read_text()
    assert "with self._lock:\n            self.n += 1\n" in text
    assert racelint("scan", "race.py", cwd=folder).returncode == 0
    again = racelint("fix", "race.py", cwd=folder)
    assert "nothing fixed" in again.stderr
    assert (folder / "race.py").read_text() == text


def test_what_one_fix_puts_right_with_another_is_counted(tmp_path: Path) -> None:
    source = "import threading\n\nrows = {}\n\n\ndef add(key):\n    if key not in rows:\n        rows[key] = []\n"
    more = "\n\ndef drop(key):\n    if key in rows:\n        del rows[key]\n\n\nfor work in (add, drop):\n"
    (tmp_path / "rows.py").write_text(f"{source}{more}    threading.Thread(target=work, args=(1,)).start()\n")
    assert "2 findings fixed in 1 file" in racelint("fix", "--unsafe-fixes", cwd=tmp_path).stderr
    assert (tmp_path / "rows.py").read_text().count("with _lock:") == 2


def test_show_fixes_lists_them(folder: Path) -> None:
    answer = racelint("fix", "--show-fixes", cwd=folder)
    assert "race.py:\n" in answer.stderr
    assert "9 RL101 Add a lock, and hold `self._lock` while `n` is changed" in answer.stderr


def test_a_diff_changes_nothing_and_applies(folder: Path) -> None:
    (folder / "odd name.py").write_text(race())
    (folder / "odd é.py").write_bytes(CRLF_AND_TABS)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    command = [sys.executable, "-m", "racelint", "fix", "--diff"]
    patch = subprocess.run(command, cwd=folder, capture_output=True)
    assert patch.returncode == 1
    assert {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()} == before
    subprocess.run(["git", "apply"], input=patch.stdout, cwd=folder, check=True)
    applied = {name: (folder / name).read_bytes() for name in before}
    for name, source in before.items():
        (folder / name).write_bytes(source)
    racelint("fix", cwd=folder)
    assert {name: (folder / name).read_bytes() for name in before} == applied
    assert all(applied[name] != before[name] for name in before)


def test_nothing_to_change_is_an_empty_diff(tmp_path: Path) -> None:
    (tmp_path / "clean.py").write_text("x = 1\n")
    answer = racelint("fix", "--diff", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "")


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(CRLF_AND_TABS, id="crlf, tabs, no final newline"),
        pytest.param(b"\xef\xbb\xbf" + CRLF_AND_TABS.replace(b"\r\n", b"\n"), id="byte-order mark"),
        pytest.param(
            b"# -*- coding: latin-1 -*-\nname = 'caf\xe9'\n" + CRLF_AND_TABS.replace(b"\r\n", b"\n"), id="latin-1"
        ),
        pytest.param(b"x = '''\x0c\r\n'''\n" + CRLF_AND_TABS, id="mixed line ends, form feed"),
    ],
)
def test_all_other_bytes_stay(tmp_path: Path, source: bytes) -> None:
    file = tmp_path / "file.py"
    file.write_bytes(source)
    answer = racelint("fix", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    body = b"\tlock.acquire()\r\n\tn = int(n)\r\n\tlock.release()"
    fixed = b"\twith lock:\r\n\t\tn = int(n)\r\n"
    if b"\r\n\tlock" not in source:
        body, fixed = body.replace(b"\r\n", b"\n"), fixed.replace(b"\r\n", b"\n")
    assert body in source
    assert file.read_bytes().removesuffix(b"\n").removesuffix(b"\r") == source.replace(
        body, fixed.removesuffix(b"\n").removesuffix(b"\r")
    )


def test_unsafe_fixes_need_to_be_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "counter.py"
    file.write_text(UNSAFE)
    answer = racelint("fix", cwd=tmp_path)
    assert "nothing fixed; 1 more with --unsafe-fixes" in answer.stderr
    assert file.read_text() == UNSAFE
    assert "1 finding fixed" in racelint("fix", "--unsafe-fixes", cwd=tmp_path).stderr
    assert "self._lock = threading.Lock()" in file.read_text()


def test_what_has_no_fix_is_counted(tmp_path: Path) -> None:
    (tmp_path / "blocking.py").write_text(next(rule for rule in all_rules() if rule.code == "RL205").example("Example"))
    answer = racelint("fix", "--unsafe-fixes", cwd=tmp_path)
    assert answer.stderr == "nothing fixed; 1 finding without a fix\n"


def test_why_there_is_no_fix_is_said_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)
    answer = racelint("fix", "--unsafe-fixes", cwd=tmp_path)
    assert answer.stderr == "nothing fixed; 1 finding without a fix (why: --show-fixes)\n"
    answer = racelint("fix", "--unsafe-fixes", "--show-fixes", cwd=tmp_path)
    reason = "`time.sleep()` may wait, and would with the lock held"
    lines = ["no fix:", "waiting.py:", f"      8 RL104 {reason}", "nothing fixed; 1 finding without a fix"]
    assert answer.stderr.splitlines() == lines


def test_findings_carry_the_reason_why_there_is_no_fix_where_fixes_were_tried(tmp_path: Path) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)
    reason = "`time.sleep()` may wait, and would with the lock held"
    (finding,) = scan_json("--show-fixes", cwd=tmp_path)["findings"]
    assert (finding["fix"], finding["no_fix_reason"]) == (None, reason)
    (left,) = scan_json("--fix", cwd=tmp_path)["findings"]
    assert (left["fix"], left["no_fix_reason"]) == (None, reason)
    (plain,) = scan_json(cwd=tmp_path)["findings"]
    assert (plain["fix"], plain["no_fix_reason"]) == (None, "")
    assert f"no fix: {reason}" in racelint("scan", "--show-fixes", cwd=tmp_path).stdout
    assert "no fix" not in racelint("scan", cwd=tmp_path).stdout


def test_what_is_left_carries_the_fix_that_was_not_applied(tmp_path: Path) -> None:
    (tmp_path / "counter.py").write_text(UNSAFE)
    (left,) = scan_json("--fix", cwd=tmp_path)["findings"]
    assert (left["fix"]["applicability"], left["no_fix_reason"]) == ("unsafe", "")


def test_what_a_comment_silences_is_left_alone(tmp_path: Path) -> None:
    source = race("  # racelint: ignore[RL101] only statistics")
    (tmp_path / "race.py").write_text(source)
    assert "nothing fixed" in racelint("fix", cwd=tmp_path).stderr
    assert (tmp_path / "race.py").read_text() == source


def test_only_selected_rules_are_fixed_and_advice_where_it_is_selected(tmp_path: Path) -> None:
    (tmp_path / "manual.py").write_bytes(CRLF_AND_TABS.replace(b"int(n)", b"n + 1"))
    assert "nothing fixed" in racelint("fix", "--select", "RL201", cwd=tmp_path).stderr
    assert "nothing fixed" in racelint("fix", cwd=tmp_path).stderr
    assert "1 finding fixed" in racelint("fix", "--select", "RL211", cwd=tmp_path).stderr
    assert "with lock:" in (tmp_path / "manual.py").read_text()


def test_scan_fix_reports_what_is_left(folder: Path) -> None:
    shutil.copy(folder / "race.py", folder / "other.py")
    (folder / "other.py").write_text(UNSAFE)
    answer = racelint("scan", "--fix", cwd=folder)
    assert answer.returncode == 1
    assert "1 finding fixed in 1 file; 1 more with --unsafe-fixes" in answer.stderr
    assert "other.py:10" in answer.stdout and "race.py" not in answer.stdout
    assert racelint("scan", "--fix", "--unsafe-fixes", cwd=folder).returncode == 0


def test_fix_only_reports_nothing(folder: Path) -> None:
    (folder / "other.py").write_text(UNSAFE)
    answer = racelint("scan", "--fix-only", cwd=folder)
    assert (answer.returncode, answer.stdout) == (0, "")


def test_findings_carry_their_fix_on_request(folder: Path) -> None:
    (finding,) = scan_json("--show-fixes", "race.py", cwd=folder)["findings"]
    fix = finding["fix"]
    assert (fix["applicability"], fix["reason"], fix["proof"]) == ("safe", "", "")
    assert set(fix["edits"][0]) == {"line", "column", "end_line", "end_column", "content"}
    (plain,) = scan_json("race.py", cwd=folder)["findings"]
    assert plain["fix"] is None


def test_a_missing_path_is_told_and_the_rest_is_fixed(folder: Path) -> None:
    answer = racelint("fix", "race.py", "nowhere.py", cwd=folder)
    assert answer.returncode == 2
    assert "nowhere.py" in answer.stderr
    assert "with self._lock" in (folder / "race.py").read_text()


def test_an_unreadable_file_does_not_keep_others_from_being_fixed(folder: Path) -> None:
    (folder / "broken.py").write_text("import threading\ndef (:\n")
    racelint("fix", cwd=folder)
    assert "with self._lock" in (folder / "race.py").read_text()


def test_a_fixed_file_keeps_its_mode_and_a_link_stays_a_link(folder: Path) -> None:
    target = folder / "real.txt"
    (folder / "race.py").rename(target)
    target.chmod(0o750)
    (folder / "race.py").symlink_to("real.txt")
    racelint("fix", "race.py", cwd=folder)
    assert (folder / "race.py").is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o750
    assert "with self._lock" in target.read_text()
    assert sorted(file.name for file in folder.iterdir()) == [".racelint_cache", "race.py", "real.txt"]


def test_a_file_that_changed_meanwhile_is_not_overwritten(folder: Path) -> None:
    file = folder / "race.py"
    change = FileChange(str(file), "race.py", b"something else\n", b"fixed\n")
    (problem,) = write_changes([change])
    assert (problem.kind, problem.path) == ("not-written", "race.py")
    assert "changed while it was being fixed" in problem.message
    assert file.read_text() == race()
    assert [file.name for file in folder.iterdir()] == ["race.py"]


def test_a_file_that_is_gone_is_a_problem_of_its_own(folder: Path) -> None:
    gone = FileChange(str(folder / "gone.py"), "gone.py", b"a\n", b"b\n")
    kept = FileChange(str(folder / "race.py"), "race.py", race().encode(), b"fixed\n")
    (problem,) = write_changes([gone, kept])
    assert problem.path == "gone.py"
    assert (folder / "race.py").read_text() == "fixed\n"


def test_a_rule_says_whether_it_has_a_fix() -> None:
    assert "has a fix" in racelint("rule", "RL101").stdout
    assert "has a fix" not in racelint("rule", "RL306").stdout
    assert json.loads(racelint("rule", "RL211", "--output-format", "json").stdout)["fixable"] is True
