"""`racelint fix --confirm`: the code is run before and after, and what is not shown to help is not done."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.cli.command import race, racelint

WITHOUT_ITS_LOCK = """\
import threading

changed = threading.Condition()
rows = []


def put(row):
    rows.append(row)
    changed.notify()


def take():
    with changed:
        while not rows:
            changed.wait()
        return rows.pop()
"""
TWICE_WITHOUT = """\
import threading

filled = threading.Condition()
emptied = threading.Condition()
rows = []


def swap(row):
    rows[:] = [row]
    filled.notify()
    emptied.notify()
"""
RESET = """\
import threading


class Client:
    def __init__(self):
        self._lock = threading.Lock()
        self._connection = None

    def connection(self):
        if self._connection is None:
            self._connection = object()
        return self._connection{more}

    def close(self):
        with self._lock:
            self._connection = None
"""
TWO_ON_ONE = """\
class Files:  # racelint: thread-safe
    def __init__(self):
        self.store = {}

    def put(self, path, data):
        self.store[path] = data

    def drop(self, path):
        self.store.pop(path, None)

    def listing(self, path):
        if path in self.store:
            return [self.store[path]]
        return [other for other in self.store if other.startswith(path)]
"""
MANY = """\
import threading

lock = threading.Lock()
hits = 0


class Counter:
    # how many
    def __init__(self):
        self.n = 0
        self.rows = {}

    def add(self, key):
        self.n += 1
        if key not in self.rows:
            self.rows[key] = self.n  # the first

    def show(self):
        for key in self.rows:
            print(key)


def hit():
    global hits
    lock.acquire()
    hits = int(hits)
    lock.release()


counter = Counter()
if __name__ == "__main__":
    for _ in range(2):
        threading.Thread(target=counter.add, args=(1,)).start()
        threading.Thread(target=counter.show).start()
        threading.Thread(target=hit).start()
"""


def confirmed(tmp_path: Path, source: str, *options: str) -> tuple[str, str]:
    """The file after `fix --confirm`, and what was said."""
    file = tmp_path / "code.py"
    file.write_text(source)
    answer = racelint("fix", "--confirm", "--unsafe-fixes", "--show-fixes", *options, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    return file.read_text(), answer.stderr


def test_a_race_is_shown_to_be_gone(tmp_path: Path) -> None:
    text, said = confirmed(tmp_path, race())
    assert "with self._lock:\n            self.n += 1\n" in text
    assert "confirmed before the fix, not reproduced after it within" in said


def test_what_every_order_shows_is_looked_for_again(tmp_path: Path) -> None:
    text, said = confirmed(tmp_path, WITHOUT_ITS_LOCK)
    assert "with changed:\n        changed.notify()" in text
    assert "confirmed before the fix (put raised RuntimeError" in said


def test_two_defects_that_break_one_run_are_put_right_together(tmp_path: Path) -> None:
    text, said = confirmed(tmp_path, TWICE_WITHOUT)
    assert "        filled.notify()\n    with emptied:\n        emptied.notify()\n" in text
    assert "with the fix of RL302 on line 11: confirmed before the fix" in said
    assert "left out" not in said


def test_another_defect_that_is_left_does_not_speak_against_a_fix(tmp_path: Path) -> None:
    text, said = confirmed(tmp_path, TWO_ON_ONE, "--select", "RL106")
    assert "for other in list(self.store)" in text
    assert "not reproduced after it" in said


def test_what_is_returned_is_part_of_the_step(tmp_path: Path) -> None:
    text, said = confirmed(tmp_path, RESET.format(more=""))
    assert "            return self._connection\n" in text
    assert "not reproduced after it" in said


def test_a_fix_after_which_it_still_goes_wrong_is_left_out(tmp_path: Path) -> None:
    source = RESET.format(more=" is not None")
    text, said = confirmed(tmp_path, source)
    assert text == source
    assert "1 left out, since the race was not shown to be gone" in said


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_several_fixes_of_one_file_compose(tmp_path: Path, newline: str) -> None:
    file = tmp_path / "many.py"
    file.write_text(MANY, newline=newline)
    racelint("fix", "--unsafe-fixes", cwd=tmp_path)
    fixed = file.read_bytes().decode()
    ast.parse(fixed)
    assert fixed.count("\n") == fixed.count(newline)
    for part in ("# how many", "# the first", "list(self.rows)", "with lock:"):
        assert part in fixed
    assert fixed.count("threading.Lock()") == 2, "one lock for the class, and the one that was there"
    assert racelint("scan", cwd=tmp_path).returncode == 0
    racelint("fix", "--unsafe-fixes", cwd=tmp_path)
    assert file.read_bytes().decode() == fixed
