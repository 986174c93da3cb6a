"""Configuration as a user meets it: which file holds, what it changes, and what is said of a wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import race, racelint

STORE = "class Store:\n    n = 0\n    def add(self):\n        self.n = self.n + 1\n"


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    answer = racelint("scan", "--output-format", "json", *arguments, cwd=folder)
    assert answer.returncode in (0, 1), answer.stderr
    decoded = json.loads(answer.stdout)
    assert isinstance(decoded, dict)
    return decoded


def paths(folder: Path, *arguments: str) -> list[str]:
    return [finding["path"] for finding in report(folder, *arguments)["findings"]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("a.py", "sub/b.py", "sub/deep/c.py", "vendor/d.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(race())
    (tmp_path / "store.py").write_text(STORE)
    return tmp_path


ALL = ["a.py", "sub/b.py", "sub/deep/c.py", "vendor/d.py"]


def configure(project: Path, text: str, name: str = "racelint.toml") -> None:
    (project / name).write_text(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ALL),
        ("exclude = ['vendor/']", ALL[:3]),
        ("exclude = ['vendor/']\nextend-exclude = ['deep']", ALL[:2]),
        ("ignore = ['RL101']", []),
        ("select = ['RL2']", []),
        ("select = ['RL2']\nextend-select = ['RL101']", ALL),
        ("per-file-ignores = {'sub/' = ['RL1'], 'd.py' = ['ALL']}", ["a.py"]),
        ("per-file-ignores = {'!sub/' = ['RL1']}", ["sub/b.py", "sub/deep/c.py"]),
        ("contracts = {thread-safe = ['store.Store']}", ["a.py", "store.py", *ALL[1:]]),
        ("contracts = {thread-confined = ['a.Counter', 'c.Counter']}", ["sub/b.py", "vendor/d.py"]),
        ("min-severity = 'info'\nseverities = {RL1 = 'info'}", ALL),
    ],
)
def test_keys_do_what_they_say(text: str, found: list[str], project: Path) -> None:
    configure(project, text)
    assert paths(project) == found


def test_the_closest_file_says_what_is_reported_of_a_file(project: Path) -> None:
    configure(project, "exclude = ['vendor/']\n")
    configure(project / "sub", "[tool.racelint]\nignore = ['RL101']\n", "pyproject.toml")
    configure(project / "sub/deep", "exclude = ['nothing']\n")
    assert paths(project) == ["a.py", "sub/deep/c.py"]
    assert paths(project, "--isolated") == ALL
    assert paths(project, "--config", "racelint.toml") == ALL[:3]
    assert paths(project / "sub", "b.py") == []


def test_a_contract_in_a_nested_file_counts(project: Path) -> None:
    (project / "sub/store.py").write_text(STORE)
    configure(project / "sub", "contracts = {thread-safe = ['store.Store']}\n")
    assert "sub/store.py" in paths(project)


def test_gitignore_is_obeyed_unless_told_otherwise(project: Path) -> None:
    (project / ".git").mkdir()
    (project / ".gitignore").write_text("vendor/\n")
    assert paths(project) == ALL[:3]
    assert paths(project, "--no-respect-gitignore") == ALL
    configure(project, "respect-gitignore = false\n")
    assert paths(project) == ALL
    assert paths(project, "--respect-gitignore") == ALL[:3]


def test_excluded_files_are_scanned_when_named_unless_forced_out(project: Path) -> None:
    configure(project, "exclude = ['vendor/']\n")
    assert paths(project, "vendor/d.py") == ["vendor/d.py"]
    assert paths(project, "vendor/d.py", "--force-exclude") == []
    configure(project, "exclude = ['vendor/']\nforce-exclude = true\n")
    assert paths(project, "vendor/d.py") == []
    assert paths(project, "vendor/d.py", "--no-force-exclude") == ["vendor/d.py"]


def test_severities_and_thresholds_decide_what_fails(project: Path) -> None:
    def code(text: str, *arguments: str) -> int:
        configure(project, text)
        return racelint("scan", "a.py", *arguments, cwd=project).returncode

    assert code("severities = {RL101 = 'warning', RL1 = 'info'}") == 1
    assert code("severities = {RL101 = 'warning'}\nfail-on = 'error'") == 0
    assert code("severities = {RL101 = 'warning'}\nmin-severity = 'error'") == 0
    assert code("severities = {ALL = 'info'}") == 0
    assert code("severities = {ALL = 'info'}", "--fail-on", "info") == 1
    assert code("", "--fail-on", "error") == 1
    found = report(project, "a.py", "--config", "racelint.toml")["findings"]
    assert [finding["severity"] for finding in found] == ["error"]


def test_confidence_below_the_threshold_is_neither_shown_nor_counted(project: Path) -> None:
    (project / "low.py").write_text(race().replace("self.n += 1", "self.hits += 1").replace("self.n", "self.hits"))
    certain = racelint("scan", "a.py", "--min-confidence", "high", "--output-format", "concise", cwd=project)
    assert certain.returncode == 1
    levels = {finding["confidence"] for finding in report(project, "--min-confidence", "high")["findings"]}
    assert levels == {"high"}


def test_the_command_line_adds_to_per_file_ignores(project: Path) -> None:
    assert paths(project, "--per-file-ignores", "sub/:RL1,RL2", "--per-file-ignores", "d.py:RL101") == ["a.py"]
    assert paths(project, "--per-file-ignores", "sub/:RL1,RL2,d.py:RL101") == ["a.py"]
    for wrong in ("sub", "RL1,sub/:RL1", "sub/:"):
        assert racelint("scan", "--per-file-ignores", wrong, cwd=project).returncode == 2


CPU = """\
import threading

def work():
    total = 0
    for n in range(10_000_000):
        total += n * n
    return total

threads = [threading.Thread(target=work) for _ in range(4)]
for t in threads:
    t.start()
"""


def test_advice_about_the_gil_is_not_for_free_threaded_builds(tmp_path: Path) -> None:
    (tmp_path / "cpu.py").write_text(CPU)

    def codes(*arguments: str) -> list[str]:
        return [finding["code"] for finding in report(tmp_path, *arguments)["findings"]]

    assert codes() == codes("--target-version", "3.13,3.14t") == ["RL402"]
    assert codes("--target-version", "3.14t") == codes("--target-version", "3.13t", "--target-version", "3.14t") == []
    configure(tmp_path, "target-version = '3.13t'\n")
    assert codes() == []
    assert racelint("scan", "--target-version", "4", cwd=tmp_path).returncode == 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("selct = []", "unknown key `selct`; did you mean `select`?"),
        ("select = ['L101']", "`select`: unknown rule 'L101'; did you mean RL101?"),
        ("ignore = ['']", "`ignore`: unknown rule ''"),
        ("per-file-ignores = {'x' = ['E501']}", "`per-file-ignores.\"x\"`: unknown rule 'E501'"),
        ("severities = {RL77 = 'info'}", "`severities`: unknown rule 'RL77'"),
        ("min-severity = 'eror'", '"eror" is not allowed; did you mean `"error"`?'),
    ],
)
def test_a_wrong_file_names_itself_the_key_and_the_nearest_right_one(text: str, complaint: str, project: Path) -> None:
    configure(project, text)
    answer = racelint("scan", cwd=project)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert answer.stderr.startswith(f"racelint: error: {project / 'racelint.toml'}: ")
    assert complaint in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_a_wrong_nested_file_stops_the_scan_by_name(project: Path) -> None:
    configure(project / "sub", "ignroe = []")
    answer = racelint("scan", cwd=project)
    assert answer.returncode == 2
    assert str(project / "sub/racelint.toml") in answer.stderr


def codes(folder: Path, *arguments: str) -> list[str]:
    return [f"{found['code']} {found['path']}:{found['line']}" for found in report(folder, *arguments)["findings"]]


def test_functions_that_run_on_threads_nobody_sees_can_be_declared(tmp_path: Path) -> None:
    (tmp_path / "handlers.py").write_text(
        "seen = 0\n\n\ndef on_message(text):\n    global seen\n    seen += len(text)\n"
    )
    assert codes(tmp_path) == []
    configure(tmp_path, "extra-thread-roots = ['handlers.on_message']\n")
    assert codes(tmp_path) == ["RL101 handlers.py:6"]


def test_objects_that_are_locks_can_be_declared(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "from mylib.sync import Gate\n\ngate = Gate()\n\n\ndef get(queue):\n    gate.acquire()\n"
        "    item = queue.fetch()\n    gate.release()\n    return item\n"
    )
    assert codes(tmp_path) == []
    configure(tmp_path, "extra-locks = ['mylib.sync.Gate']\n")
    assert codes(tmp_path) == ["RL201 a.py:7"]


DECLARED = """\
import threading
import time

from outside.sync import Gate

from mylib import Latch, make_lock


class Store:
    def __init__(self):
        self.gate = Gate()
        self.latch = Latch()
        self.made = make_lock("c")
        self.n = 0

    def leaks(self):
        {leaks}.acquire()
        if self.n:
            return
        {leaks}.release()

    def one_way(self):
        with self.gate, {leaks}:
            pass

    def other_way(self):
        with {leaks}, self.gate:
            pass

    def sleeps(self):
        with {leaks}:
            time.sleep(5)

    def again(self):
        with {leaks}, {leaks}:
            {leaks}.acquire(timeout=1)
            {leaks}.release()


store = Store()
for _ in range(2):
    threading.Thread(target=store.sleeps).start()
"""
LATCH = """\
class Latch:
    def acquire(self, timeout=None): pass
    def release(self): pass
    def __enter__(self): return self
    def __exit__(self, *exception): pass

def make_lock(name):
    return name
"""


@pytest.mark.parametrize("lock", ["self.latch", "self.made"])
def test_a_declared_lock_is_one_for_the_rules_about_locks(lock: str, tmp_path: Path) -> None:
    """It leaks, has an order, and is waited under; what its answer means, and whether it is taken twice, is unknown."""
    (tmp_path / "mylib.py").write_text(LATCH)
    (tmp_path / "a.py").write_text(DECLARED.format(leaks=lock))
    assert "RL204 a.py:27" not in codes(tmp_path)
    configure(tmp_path, "extra-locks = ['outside.sync.Gate', 'mylib.Latch', 'mylib.make_lock']\n")
    assert codes(tmp_path, "--ignore", "RL211") == ["RL201 a.py:17", "RL204 a.py:27", "RL205 a.py:32"]


def test_functions_that_block_can_be_declared(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "import threading\n\nimport mylib\n\nlock = threading.Lock()\n\n\ndef get():\n    with lock:\n"
        "        return mylib.fetch()\n\n\nthreading.Thread(target=get).start()\nget()\n"
    )
    assert codes(tmp_path) == []
    configure(tmp_path, "extra-blocking-calls = ['mylib.fetch']\n")
    assert codes(tmp_path) == ["RL205 a.py:10"]
