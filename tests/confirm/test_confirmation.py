"""From a finding or a target to a verdict, through a real child process."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from racelint.confirm import CannotRun, Limits, confirm_finding, confirm_findings, confirm_target, replay
from racelint.confirm.injection import may_be_refused
from racelint.model.finding import Evidence, Finding, Severity, Step

LIMITS = Limits(python=sys.executable, budget=6.0)

BANK = """\
from threading import Lock

class Account:
    def __init__(self, money):
        self.money = money
        self.lock = Lock()

    def racy(self, amount):
        self.money += amount

    def safe(self, amount):
        with self.lock:
            self.money += amount

    def _inner(self, amount):
        self.money -= amount

    def outer(self, amount):
        self._inner(amount)

if __name__ == "__main__":
    Account(100).racy(10)
"""


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, source: str, name: str = "bank.py") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return path


def finding(
    path: str,
    code: str,
    line: int,
    *,
    conflict: int = 0,
    severity: Severity = "error",
    evidence: Evidence = "thread",
) -> Finding:
    steps = (Step("conflict", "writes", path, conflict, 1),) if conflict else ()
    return Finding(code, "x", "m", "w", path, line, 1, line, 2, severity, "high", evidence, "", "", steps)


def line_of(source: str, text: str) -> int:
    return source[: source.index(text)].count("\n") + 1


TURNSTILE = """\
from threading import Lock

class Turnstile:
    def __init__(self):
        self.lock = Lock()
        self.inside = 0
        self.most = 0

    def enter(self):
        self.lock.acquire()
        self.inside += 1

    def leave(self):
        self.most = max(self.most, self.inside)
        self.inside -= 1
        self.lock.release()
"""


def test_a_lock_that_one_method_takes_and_another_gives_back_is_used_so(tmp_path: Path) -> None:
    written(tmp_path, TURNSTILE)
    (result,) = confirm_target("bank.py::Turnstile", [], LIMITS, tmp_path)
    assert result.verdict.status == "not-reproduced", (result.verdict.outcome, result.verdict.reason)
    assert "Turnstile.enter; Turnstile.leave ‖ Turnstile.enter; Turnstile.leave" in result.verdict.reason
    found = finding("bank.py", "RL101", line_of(TURNSTILE, "inside += 1"), conflict=line_of(TURNSTILE, "inside -= 1"))
    assert confirm_finding(found, LIMITS, tmp_path).status == "not-reproduced"


def test_a_finding_is_confirmed(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    verdict = confirm_finding(finding("bank.py", "RL101", line_of(BANK, "money += ")), LIMITS, tmp_path)
    assert verdict.status == "confirmed"
    assert verdict.effect == "lost-update"
    assert verdict.outcome is not None and verdict.outcome not in verdict.expected
    assert verdict.schedule is not None and verdict.witness is not None
    assert {step.path for step in verdict.witness.steps} <= {"bank.py", "<operation 1>", "<operation 2>"}
    assert "Account.racy ‖ Account.racy" in verdict.reason


def test_a_private_method_is_run_through_its_callers(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    verdict = confirm_finding(finding("bank.py", "RL101", line_of(BANK, "money -= ")), LIMITS, tmp_path)
    assert verdict.status == "confirmed"
    assert "Account.outer" in verdict.reason


def test_the_pair_of_accesses_is_run(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    safe = line_of(BANK, "            self.money += ")
    racy = line_of(BANK, "money += ")
    verdict = confirm_finding(finding("bank.py", "RL102", racy, conflict=safe), LIMITS, tmp_path)
    assert verdict.status == "confirmed"
    assert "Account.racy ‖ Account.safe" in verdict.reason


def test_code_that_holds_is_not_called_safe(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    [result] = confirm_target("bank.py::Account.safe", [], LIMITS)
    assert result.verdict.status == "not-reproduced"
    assert "not reproduced within" in result.verdict.reason
    assert "safe " not in result.verdict.reason.replace("Account.safe ", "")


def test_a_class_target_finds_the_racy_method(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    [result] = confirm_target("bank.py::Account", [], LIMITS)
    assert result.finding is None
    assert result.verdict.status == "confirmed"


@pytest.mark.parametrize(
    ("source", "target", "effect"),
    [
        ("n = 0\ndef inc():\n    global n\n    n += 1\n", "inc", "lost-update"),
        ("class C:\n    n = 0\n    @classmethod\n    def inc(cls): cls.n += 1\n", "C.inc", "lost-update"),
        ("d = {}\ndef get(key):\n    if key not in d:\n        d[key] = object()\n    return d[key]\n", "get", None),
        (
            "import threading\nclass A:\n    def __init__(self): self.lock = threading.Lock(); self.money = 9\n"
            "def move(src, dst):\n    with src.lock:\n        with dst.lock:\n"
            "            src.money -= 1\n            dst.money += 1\n",
            "move",
            "deadlock",
        ),
        (
            "import threading\nclass W(threading.Thread):\n    n = 0\n    def run(self): W.n += 1\n",
            "W",
            "lost-update",
        ),
        (
            "def make():\n    n = 0\n    def inc():\n        nonlocal n\n"
            "        n += 1\n        return n\n    return inc\n",
            "make.<locals>.inc",
            None,
        ),
        (
            "from threading import Thread\n"
            "class C:\n    def __init__(self): self.n = 0\n    def work(self): self.n += 1\n"
            "    def run_all(self):\n        ts = [Thread(target=self.work) for _ in range(2)]\n"
            "        for t in ts: t.start()\n        for t in ts: t.join()\n        return self.n\n",
            "C.run_all",
            "lost-update",
        ),
        (
            "from dataclasses import dataclass\n@dataclass\nclass C:\n    name: str\n    n: int = 0\n"
            "    def inc(self): self.n += 1\n",
            "C.inc",
            "lost-update",
        ),
    ],
    ids=[
        "global",
        "class attribute",
        "check then act",
        "swapped",
        "Thread subclass",
        "closure",
        "starts threads",
        "dataclass",
    ],
)
def test_shapes_of_code(tmp_path: Path, source: str, target: str, effect: str | None) -> None:
    written(tmp_path, source, "shape.py")
    [result] = confirm_target(f"shape.py::{target}", [], LIMITS)
    assert result.verdict.status == "confirmed", result.verdict.reason
    assert effect in (None, result.verdict.effect)


def test_package_with_relative_imports_in_a_src_layout(tmp_path: Path) -> None:
    written(tmp_path, "", "src/pkg/__init__.py")
    written(tmp_path, "class Base:\n    def __init__(self, n: int): self.n = n\n", "src/pkg/base.py")
    written(tmp_path, "from .base import Base\nclass C(Base):\n    def inc(self): self.n += 1\n", "src/pkg/c.py")
    [result] = confirm_target("src/pkg/c.py::C.inc", [], LIMITS)
    assert result.verdict.status == "confirmed", result.verdict.reason


SCRIPT = """\
from threading import Thread

class Counter:
    def __init__(self, connection):
        self.connection = connection
        self.n = 0

    def work(self):
        self.connection.check()
        self.n += 1

{start}
"""


@pytest.mark.parametrize("guard", [True, False], ids=["main guard", "module level"])
def test_a_script_is_run_where_nothing_else_can_be_built(tmp_path: Path, guard: bool) -> None:
    lines = [
        "class Connection:\n    __slots__ = ()\n    def __init__(self, gizmo): gizmo.frob()\n    check = print",
        "class Fake(Connection):\n    def __init__(self): ...",
    ]
    start = ["c = Counter(Fake())", "ts = [Thread(target=c.work) for _ in range(2)]"]
    start += ["for t in ts: t.start()", "for t in ts: t.join()", "print(c.n)"]
    body = "\n".join(start)
    if guard:
        body = "if __name__ == '__main__':\n" + "\n".join(f"    {line}" for line in start)
    source = SCRIPT.format(start="\n".join([*lines, body]))
    written(tmp_path, source, "script.py")
    verdict = confirm_finding(finding("script.py", "RL101", line_of(source, "self.n += 1")), LIMITS, tmp_path)
    assert verdict.status == "confirmed", verdict.reason


LEAKS = """\
import threading

class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.places = threading.Semaphore(3)
        self.rows = 0

    def leaks(self, text):
        self.lock.acquire()
        print(text)
        self.rows += 1
        self.lock.release()

    def returns(self, amount):
        self.lock.acquire()
        if amount > 0:
            return
        self.lock.release()

    def holds(self, text):
        self.lock.acquire()
        try:
            print(text)
        finally:
            self.lock.release()

    def leaks_one_of_three(self, text):
        self.places.acquire()
        print(text)
        self.places.release()

    def holds_one_of_three(self, text):
        with self.places:
            print(text)
        self.places.acquire()
        self.places.release()
"""


@pytest.mark.parametrize(
    ("method", "status"),
    [
        ("leaks", "confirmed"),
        ("returns", "confirmed"),
        ("holds", "not-reproduced"),
        ("leaks_one_of_three", "confirmed"),
        ("holds_one_of_three", "not-reproduced"),
    ],
)
def test_a_lock_left_held(tmp_path: Path, method: str, status: str) -> None:
    written(tmp_path, LEAKS, "store.py")
    line = line_of(LEAKS, f"def {method}(") + (3 if method == "holds_one_of_three" else 1)
    verdict = confirm_finding(finding("store.py", "RL201", line), LIMITS, tmp_path)
    assert verdict.status == status, verdict.reason
    if status == "confirmed":
        assert verdict.outcome is not None and verdict.outcome.startswith("the next to take self.")


PAIRS = """
class Pair:
    def __init__(self, context):
        self.one = context.RLock()
        self.other = context.RLock()
        self.acquire = self.make()

    def make(self):
        def both():
            return self.one.acquire(timeout=1) and self.other.acquire(timeout=1)

        return both if self.one else None

    def take(self):
        if not self.one.acquire(timeout=1):
            return False
        if self.other.acquire(timeout=1):
            return True
        self.one.release()
        return False

    def take_both(self):
        self.one.acquire()
        self.other.acquire(True)
        return True
"""


@pytest.mark.parametrize(
    ("text", "status"),
    [("return self.one", "confirmed"), ("if not self.one", "not-reproduced")],
)
def test_the_first_of_two_locks_stays_held_where_the_second_is_refused(tmp_path: Path, text: str, status: str) -> None:
    written(tmp_path, PAIRS, "pairs.py")
    verdict = confirm_finding(finding("pairs.py", "RL201", line_of(PAIRS, text)), LIMITS, tmp_path)
    assert verdict.status == status, verdict.reason
    if status == "confirmed":
        assert "with self.other.acquire refused" in (verdict.outcome or "")


@pytest.mark.parametrize(
    ("given", "may_be"), [("", False), ("True", False), ("timeout=1", True), ("False", True), ("True, 5", True)]
)
def test_who_waits_for_ever_is_not_refused(given: str, may_be: bool) -> None:
    call = ast.parse(f"lock.acquire({given})", mode="eval").body
    assert isinstance(call, ast.Call)
    assert may_be_refused(call) is may_be


WAITERS = """
from threading import Condition, Lock

class Box:
    def __init__(self):
        self.changed = Condition()
        self.items = []

    def take(self):
        with self.changed:
            while not self.items:
                self.changed.wait()
            return self.items.pop()

    def put(self):
        with self.changed:
            self.items.append(1)
            self.changed.notify_all()
"""
LOST = """
from threading import Condition

class Job:
    def __init__(self):
        self.finished = Condition()

    def result(self):
        with self.finished:
            self.finished.wait()

    def work(self):
        with self.finished:
            self.finished.notify_all()
"""


@pytest.mark.parametrize("code", ["RL302", "RL303", "RL304"])
def test_waiters_whom_nobody_has_notified_yet_prove_nothing(tmp_path: Path, code: str) -> None:
    written(tmp_path, WAITERS, "box.py")
    verdict = confirm_finding(finding("box.py", code, line_of(WAITERS, "self.changed.wait()")), LIMITS, tmp_path)
    assert verdict.status == "not-reproduced", verdict.outcome


def test_a_notifier_that_raises_is_confirmed(tmp_path: Path) -> None:
    source = LOST.replace(
        "        with self.finished:\n            self.finished.notify_all()", "        self.finished.notify_all()"
    )
    written(tmp_path, source, "job.py")
    verdict = confirm_finding(
        finding("job.py", "RL302", line_of(source, "self.finished.notify_all()")), LIMITS, tmp_path
    )
    assert verdict.status == "confirmed", verdict.reason
    assert verdict.outcome is not None and verdict.outcome.startswith("Job.work raised RuntimeError")


def test_a_notification_that_came_before_the_wait_is_shown_lost(tmp_path: Path) -> None:
    written(tmp_path, LOST, "job.py")
    verdict = confirm_finding(finding("job.py", "RL304", line_of(LOST, "self.finished.wait()")), LIMITS, tmp_path)
    assert verdict.status == "confirmed", verdict.reason
    assert verdict.outcome == "Job.result waits in self.finished.wait()"


TWO_FUNCTIONS = """
from threading import Lock

class Store:
    def __init__(self, file):
        self.lock = Lock()
        self.file = file

    def begin(self):
        self.lock.acquire()

    def commit(self):
        self.file.flush()
        self.lock.release()

    def rollback(self):
        try:
            self.file.flush()
        finally:
            self.lock.release()

    def write(self):
        self.begin()
        self.file.flush()
        self.rollback()

    def write_safely(self):
        self.begin()
        try:
            self.file.flush()
        finally:
            self.rollback()
"""


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("        self.lock.release()", "confirmed"),
        ("            self.lock.release()", "not-reproduced"),
        ("    def write(self):", "confirmed"),
        ("    def write_safely(self):", "not-reproduced"),
    ],
)
def test_a_lock_that_one_function_takes_and_another_gives_back(tmp_path: Path, text: str, status: str) -> None:
    written(tmp_path, TWO_FUNCTIONS, "store.py")
    line = line_of(TWO_FUNCTIONS, f"\n{text}\n") + (2 if "def" in text else 1)
    verdict = confirm_finding(finding("store.py", "RL201", line), LIMITS, tmp_path)
    assert verdict.status == status, verdict.reason
    if status == "confirmed":
        assert verdict.outcome is not None and verdict.outcome.startswith("the next to take self.lock")


def test_what_no_run_can_show_is_unsupported_with_the_reason(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    for code in ("RL502", "RL211", "RL704", "RL900"):
        verdict = confirm_finding(finding("bank.py", code, 9), LIMITS, tmp_path)
        assert verdict.status == "unsupported"
        assert code in verdict.reason


def test_a_stand_in_serves_where_nothing_is_known_of_an_argument(tmp_path: Path) -> None:
    source = "class C:\n    def __init__(self, gizmo): self.x = gizmo.frob()\n    def inc(self): self.x += 1\n"
    written(tmp_path, source, "c.py")
    [result] = confirm_target("c.py::C.inc", [], LIMITS)
    assert result.verdict.status == "confirmed"


def test_what_cannot_be_built_says_what_to_supply(tmp_path: Path) -> None:
    source = (
        "class C:\n    def __init__(self, gizmo):\n        if gizmo.frob() != 42: raise ValueError(gizmo)\n"
        "        self.x = 0\n    def inc(self): self.x += 1\n"
    )
    written(tmp_path, source, "c.py")
    [result] = confirm_target("c.py::C.inc", [], LIMITS)
    assert result.verdict.status == "unsupported"
    assert "C.inc cannot be run: the set-up failed: ValueError" in result.verdict.reason
    assert "def make_gizmo():" in result.verdict.reason
    fixtures = written(
        tmp_path, "import types\ndef make_gizmo():\n    return types.SimpleNamespace(frob=lambda: 42)\n", "fix.py"
    )
    limits = Limits(python=sys.executable, budget=6.0, fixtures=str(fixtures))
    assert confirm_target("c.py::C.inc", [], limits)[0].verdict.status == "confirmed"


def test_findings_keep_their_order_and_share_the_budget(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    racy = line_of(BANK, "money += ")
    findings = [
        finding("bank.py", "RL101", racy, severity="warning"),
        finding("bank.py", "RL502", 1, severity="info"),
        finding("bank.py", "RL101", racy, severity="error"),
    ]
    found = [verdict.status for verdict in confirm_findings(findings, LIMITS, tmp_path, 2)]
    assert found == ["confirmed", "unsupported", "confirmed"]
    spent = Limits(python=sys.executable, budget=6.0, total=0.01)
    found = [verdict.status for verdict in confirm_findings(findings, spent, tmp_path, 1)]
    assert found == ["inconclusive", "unsupported", "inconclusive"]


def test_replay_shows_the_same_and_notices_a_fix(tmp_path: Path) -> None:
    path = written(tmp_path, BANK)
    [result] = confirm_target("bank.py::Account.racy", [], LIMITS)
    assert result.verdict.schedule is not None
    target, again = replay(result.verdict.schedule, LIMITS, [tmp_path])
    assert target == "bank.py::Account.racy"
    assert (again.status, again.outcome) == ("confirmed", result.verdict.outcome)
    path.write_text(
        BANK.replace(
            "        self.money += amount\n\n    def safe",
            "        with self.lock: self.money += amount\n\n    def safe",
        )
    )
    _, fixed = replay(result.verdict.schedule, LIMITS, [tmp_path])
    assert fixed.status != "confirmed"
    assert "bank.py has changed" in fixed.reason


def test_replay_in_another_folder(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    [result] = confirm_target("bank.py::Account.racy", [], LIMITS)
    assert result.verdict.schedule is not None
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    os.chdir(deep)
    _, again = replay(result.verdict.schedule, LIMITS, [deep, *deep.parents])
    assert again.status == "confirmed"
    with pytest.raises(CannotRun, match="is not there"):
        replay(result.verdict.schedule, LIMITS, [deep])


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("bank.py", "is no target"),
        ("bank.py::", "is no target"),
        ("bank.py::Nothing", "no class or function `Nothing`; there are: Account"),
        ("bank.py::Account.nothing", "no method `nothing`; there are: racy, safe"),
        ("bank.py::Account,Account", "is a class"),
        ("gone.py::Account", "gone.py"),
        ("bank.py::RL101@4", "no finding RL101 on line 4"),
        ("bank.py::RL199", "no rule RL199"),
        ("0123456789abcdef", "no finding has the fingerprint"),
        ("broken.py::f", "broken.py:1"),
    ],
)
def test_targets_that_name_nothing(tmp_path: Path, target: str, said: str) -> None:
    written(tmp_path, BANK)
    written(tmp_path, "def (:\n", "broken.py")
    with pytest.raises(CannotRun, match=said):
        confirm_target(target, [], LIMITS)


def test_targets_that_name_findings(tmp_path: Path) -> None:
    written(tmp_path, BANK)
    one = finding("bank.py", "RL502", 9)
    for target in ("bank.py::RL502", "bank.py::rl502@9", str(tmp_path / "bank.py::RL502")):
        [result] = confirm_target(target, [one, finding("bank.py", "RL501", 9)], LIMITS)
        assert result.finding == one
    assert confirm_target("bank.py::RL101", [one], LIMITS) == []


@pytest.mark.parametrize(
    ("python", "said"),
    [("no-such-python-anywhere", "no Python interpreter"), ("/bin/false", "does not run as a Python")],
)
def test_interpreters_that_do_not_run(tmp_path: Path, python: str, said: str) -> None:
    written(tmp_path, BANK)
    with pytest.raises(CannotRun, match=said):
        confirm_target("bank.py::Account", [], Limits(python=python))


def test_guesses_that_do_not_fit_are_changed(tmp_path: Path) -> None:
    source = "class C:\n    def __init__(self): self.n = ''\n    def add(self, zork): self.n = self.n + zork\n"
    written(tmp_path, source, "c.py")
    [result] = confirm_target("c.py::C.add", [], LIMITS)
    assert result.verdict.status == "confirmed", result.verdict.reason
    assert result.verdict.outcome is not None and "key" in result.verdict.outcome


def test_operations_that_only_raise_show_nothing(tmp_path: Path) -> None:
    source = "class C:\n    def __init__(self): self.n = 0\n    def add(self, zork): self.n += missing_name + zork\n"
    written(tmp_path, source, "c.py")
    [result] = confirm_target("c.py::C.add", [], LIMITS)
    assert result.verdict.status == "unsupported"
    assert "NameError" in result.verdict.reason


def test_an_operation_that_raises_by_design_is_named(tmp_path: Path) -> None:
    source = (
        "import threading\nclass C:\n    def __init__(self): self.d = {}; self.lock = threading.Lock()\n"
        "    def take(self, key):\n        with self.lock: return self.d.pop(key)\n"
    )
    written(tmp_path, source, "c.py")
    [result] = confirm_target("c.py::C.take", [], LIMITS)
    assert result.verdict.status == "not-reproduced"
    assert "run alone, C.take raises KeyError" in result.verdict.reason


def test_a_thread_runs_its_own_run_once(tmp_path: Path) -> None:
    source = (
        "import threading\nclass W(threading.Thread):\n    def __init__(self):\n        super().__init__()\n"
        "        self.n = 0\n    def run(self): self.n += 1\n"
    )
    written(tmp_path, source, "w.py")
    for target in ("w.py::W", "w.py::W.run"):
        [result] = confirm_target(target, [], LIMITS)
        assert result.verdict.status != "confirmed", (target, result.verdict)
    verdict = confirm_finding(finding("w.py", "RL101", line_of(source, "self.n += 1")), LIMITS, tmp_path)
    assert verdict.status != "confirmed"


def test_a_function_that_returns_closures(tmp_path: Path) -> None:
    source = (
        "def make():\n    n = 0\n    def inc():\n        nonlocal n\n        n += 1\n"
        "    def get():\n        return n\n    return inc, get\n"
    )
    written(tmp_path, source, "c.py")
    [result] = confirm_target("c.py::make", [], LIMITS)
    assert result.verdict.status == "confirmed", result.verdict.reason


def test_one_that_starts_threads_is_run_alone(tmp_path: Path) -> None:
    source = (
        "from threading import Thread\nclass C:\n    def __init__(self): self.n = 0\n"
        "    def work(self): self.n += 1\n"
        "    def once(self):\n        t = Thread(target=self.work)\n        t.start()\n"
        "        t.join()\n        return self.n\n"
    )
    written(tmp_path, source, "c.py")
    [result] = confirm_target("c.py::C.once", [], LIMITS)
    assert result.verdict.status == "not-reproduced", result.verdict


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (
            "class Stack:\n    def __init__(self): self.items = []\n    def push(self, item): self.items.append(item)\n"
            "    def pop(self):\n        if self.items:\n            return self.items.pop()\n",
            "Stack.pop",
            "Stack.pop ‖ Stack.pop after Stack.push",
        ),
        (
            "class Registry:\n    made = 0\n    def __init__(self):\n        Registry.made = Registry.made + 1\n",
            "Registry",
            "Registry() ‖ Registry()",
        ),
        (
            "class One:\n    it = None\n    def __new__(cls):\n        if cls.it is None:\n"
            "            cls.it = super().__new__(cls)\n        return cls.it\n",
            "One",
            "One() ‖ One()",
        ),
        (
            "from http.server import BaseHTTPRequestHandler\nclass Handler(BaseHTTPRequestHandler):\n    hits = 0\n"
            "    def do_GET(self):\n        Handler.hits += 1\n        self.send_response(200)\n"
            "        self.end_headers()\n",
            "Handler.do_GET",
            "Handler.do_GET ‖ Handler.do_GET",
        ),
        (
            "import http.server\nclass Server(http.server.ThreadingHTTPServer):\n"
            "    def __init__(self, *args):\n        super().__init__(*args)\n        self.hits = 0\n"
            "class Handler(http.server.BaseHTTPRequestHandler):\n"
            "    def do_GET(self):\n        self.server.hits += 1\n",
            "Handler.do_GET",
            "Handler.do_GET ‖ Handler.do_GET",
        ),
        (
            "import threading\nclass Timeouts:\n    def __init__(self):\n        self.timers = {}\n"
            "    def schedule(self, key):\n        timer = threading.Timer(1, print)\n"
            "        self.timers[key] = timer\n        timer.start()\n"
            "    def cancel(self, key):\n        if key in self.timers:\n            self.timers.pop(key).cancel()\n",
            "Timeouts.cancel",
            "Timeouts.cancel ‖ Timeouts.cancel after Timeouts.schedule",
        ),
        (
            "import heapq\nclass Heap:\n    def __init__(self):\n        self.items = []\n"
            "    def add(self, when: int):\n        heapq.heappush(self.items, when)\n"
            "    def first(self):\n        if self.items:\n            return heapq.heappop(self.items)\n",
            "Heap.first",
            "Heap.first ‖ Heap.first after Heap.add",
        ),
        (
            "class Recent:\n    def __init__(self, size: int = 2):\n        self.size = size\n        self.data = {}\n"
            "    def get(self, key: str):\n        return self.data[key] if key in self.data else None\n"
            "    def put(self, key: str, value: int):\n        self.data[key] = value\n"
            "        if len(self.data) > self.size:\n            del self.data[next(iter(self.data))]\n",
            "Recent.get,Recent.put",
            "Recent.get ‖ Recent.put after Recent.put 2 times with two values",
        ),
    ],
    ids=[
        *("filled first", "constructor", "singleton", "request handler", "state of the server", "started first"),
        *("filled by a function", "at its limit"),
    ],
)
def test_what_has_to_be_made_ready(tmp_path: Path, source: str, target: str, said: str) -> None:
    written(tmp_path, source, "ready.py")
    [result] = confirm_target(f"ready.py::{target}", [], LIMITS)
    assert result.verdict.status == "confirmed", result.verdict.reason
    assert said in result.verdict.reason


ELSEWHERE = """\
class Tally:
    def __init__(self, strict=True):
        self.total = 0
        self.strict = strict
        self.cache = None

    def add(self, amount):
        if amount > 100:
            self.cache = self.cache or object()
        held = self.total
        self.total = held + amount

    def lazily(self):
        if not self.strict:
            held = self.total
            self.total = held + 1
"""


def test_what_goes_wrong_without_the_lines_of_the_finding_is_no_proof_of_it(tmp_path: Path) -> None:
    written(tmp_path, ELSEWHERE)
    verdict = confirm_finding(finding("bank.py", "RL105", 9), LIMITS, tmp_path)
    assert verdict.status == "not-reproduced"
    assert "something goes wrong without the lines of the finding" in verdict.reason


def test_a_flag_of_the_constructor_is_set_so_that_the_finding_is_reached(tmp_path: Path) -> None:
    written(tmp_path, ELSEWHERE)
    verdict = confirm_finding(finding("bank.py", "RL101", 16), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update")


def test_a_timeout_of_hours_never_expires(tmp_path: Path) -> None:
    source = (
        "import queue, threading\n\nclass Pool:\n    def __init__(self):\n        self.jobs = queue.Queue()\n"
        "        threading.Thread(target=self.work, daemon=True).start()\n\n"
        "    def work(self):\n        while True:\n            self.jobs.get(timeout=86400)\n\n"
        "    def ask(self):\n        try:\n            queue.Queue().get(timeout=30)\n"
        "        except queue.Empty:\n            return 'late'\n"
    )
    written(tmp_path, source)
    [result] = confirm_target("bank.py::Pool.ask", (), LIMITS)
    assert result.verdict.status != "confirmed", result.verdict.outcome


SIGNAL = """\
import threading
import weakref

class Signal:
    def __init__(self):
        self.lock = threading.Lock()
        self.receivers = []

    def connect(self, receiver):
        with self.lock:
            self.receivers.append(weakref.ref(receiver, self._remove))

    def _remove(self, dead):
        with self.lock:
            self.receivers.remove(dead)
"""

DROPPED = """\
class Receiver: ...

def call__remove(signal):
    receiver = Receiver()
    signal.connect(receiver)
    with signal.lock:
        del receiver
"""


def test_a_wait_in_the_line_of_the_finding_is_the_proof(tmp_path: Path) -> None:
    written(tmp_path, SIGNAL, "signals.py")
    fixtures = written(tmp_path, DROPPED, "fixtures.py")
    one = finding("signals.py", "RL210", line_of(SIGNAL, "        with self.lock:\n            self.receivers.remove"))
    verdict = confirm_finding(one, Limits(fixtures=str(fixtures), budget=5), tmp_path)
    assert (verdict.status, verdict.outcome) == ("confirmed", "Signal._remove waits in with self.lock")


def test_a_wait_that_nobody_wakes_is_no_proof_of_a_missing_lock(tmp_path: Path) -> None:
    source = "from threading import Condition\n\nready = Condition()\nrows = []\n\n\ndef take():\n"
    written(tmp_path, f"{source}    while not rows:\n        ready.wait()\n    return rows.pop()\n", "bare.py")
    held = "    with ready:\n        while not rows:\n            ready.wait()\n        return rows.pop()\n"
    written(tmp_path, source + held, "held.py")
    bare = confirm_finding(finding("bare.py", "RL302", 9), LIMITS, tmp_path)
    assert (bare.status, bare.effect) == ("confirmed", "exception")
    kept = confirm_finding(finding("held.py", "RL302", 10), LIMITS, tmp_path)
    assert kept.status == "not-reproduced"
    assert kept.reason is not None and kept.reason.startswith("not reproduced within")


RECEIPT = """\
import threading

class Waiter:
    def __init__(self, receipt):
        self.receipt = receipt
        self.condition = threading.Condition()
        self.received = False

    def on_receipt(self, headers):
        if "receipt-id" in headers and headers["receipt-id"] == self.receipt:
            with self.condition:
                self.received = True
                self.condition.notify()

    def wait(self):
        with self.condition:
            while not self.received:
                self.condition.wait()
        self.received = False
"""


def test_a_mapping_has_the_keys_that_it_is_asked_for(tmp_path: Path) -> None:
    written(tmp_path, RECEIPT, "receipts.py")
    verdict = confirm_finding(finding("receipts.py", "RL102", 19, conflict=12), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason


POLLING = """\
import threading

class Live:
    def __init__(self):
        self.lock = threading.RLock()
        self.done = threading.Event()
        self.rounds = []
        threading.Thread(target=self.poll, daemon=True).start()

    def poll(self):
        while not self.done.wait(0.1):
            for _ in range(3):
                self.rounds[:] = [1]

    def one(self):
        with self.lock:
            with self.other:
                pass

    def two(self):
        with self.other:
            with self.lock:
                pass

    other = threading.Lock()
"""


@pytest.mark.parametrize("order", ["racy", "safe"])
def test_a_thread_that_polls_hides_no_deadlock_of_the_others(tmp_path: Path, order: str) -> None:
    safe = POLLING.replace(
        "with self.other:\n            with self.lock:", "with self.lock:\n            with self.other:"
    )
    written(tmp_path, POLLING if order == "racy" else safe, "live.py")
    [result] = confirm_target("live.py::Live.one,Live.two", (), LIMITS)
    assert (result.verdict.effect == "deadlock") is (order == "racy"), result.verdict.reason
    assert (result.verdict.status == "confirmed") is (order == "racy"), result.verdict.reason


NOTIFIER = """\
class Speaker:
    def __init__(self):
        self.listeners = {{}}

    def add(self, name, listener):
        {added}

    def tell(self, kind):
        for listener in self.listeners.values():
            told = getattr(listener, "on_" + kind, None)
            if not told:
                continue
            told()
"""


@pytest.mark.parametrize(
    ("added", "status"),
    [
        ("self.listeners[name] = listener", "confirmed"),
        ("self.listeners = {**self.listeners, name: listener}", ""),
    ],
)
def test_a_container_that_changes_in_a_loop_has_something_in_it(tmp_path: Path, added: str, status: str) -> None:
    source = NOTIFIER.format(added=added)
    written(tmp_path, source, "speaker.py")
    verdict = confirm_finding(finding("speaker.py", "RL106", 9, conflict=6), LIMITS, tmp_path)
    assert (verdict.status == "confirmed") is bool(status), verdict.reason


BESIDE = """\
SESSIONS = {}
client = None


def made():
    global client
    if client is None:
        client = []
    return client


def handle(token):
    if token not in SESSIONS:
        SESSIONS[token] = 0
    made().append(token)
"""


@pytest.mark.parametrize(
    ("text", "status"), [("if token not in", "not-reproduced"), ("if client is None", "confirmed")]
)
def test_what_is_called_after_the_flagged_lines_is_no_proof_of_them(tmp_path: Path, text: str, status: str) -> None:
    written(tmp_path, BESIDE, "beside.py")
    line = line_of(BESIDE, text)
    verdict = confirm_finding(finding("beside.py", "RL104", line), LIMITS, tmp_path)
    assert verdict.status == status, verdict.reason


FEED = """
class Feed:
    def __init__(self, listed):
        self.seen = 0
        for name in listed:
            open(name).close()

    def handle(self, kind, body):
        if kind == "message":
            self.seen += 1
        elif kind == "error":
            raise ValueError(body)

def ping(feed):
    feed.handle("ping", "")
"""


def test_what_a_function_compares_a_parameter_with_and_what_an_error_asks_for_are_tried(tmp_path: Path) -> None:
    written(tmp_path, FEED, "feed.py")
    verdict = confirm_finding(finding("feed.py", "RL101", line_of(FEED, "self.seen += 1")), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason


SERVICE = """
import abc
import threading

class Transport(abc.ABC):
    @abc.abstractmethod
    def send(self, text): ...

class Http(Transport):
    def __init__(self, options):
        self.address = options["dsn"]["host"].address

class HttpOne(Http):
    def send(self, text):
        return text

class Result:
    def __init__(self, condition_factory):
        self.ready = condition_factory()
        self.value = None

    def set(self, value):
        with self.ready:
            self.value = value
            self.ready.notify_all()

    def wait(self):
        with self.ready:
            self.ready.wait()

class Monitor:
    def __init__(self, transport: Transport):
        self.transport = transport
        self.sent = 0

    def report(self):
        self.sent += 1
"""


@pytest.mark.parametrize(
    ("code", "text", "effect"),
    [
        ("RL101", "self.sent += 1", "lost-update"),
        ("RL304", "self.ready.wait()", "hang"),
    ],
)
def test_objects_of_any_shape_and_factories_of_primitives(tmp_path: Path, code: str, text: str, effect: str) -> None:
    written(tmp_path, SERVICE, "service.py")
    verdict = confirm_finding(finding("service.py", code, line_of(SERVICE, text)), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", effect), verdict.reason


MADE = """
class Registry:
    def __init__(self, entries=()):
        if entries is None:
            raise RuntimeError("entries are needed")
        self.count = 0

    def add(self):
        self.count += 1

def registry_of_nothing():
    return Registry(entries=None)
"""


def test_an_object_is_made_without_the_arguments_of_a_call_that_cannot_be(tmp_path: Path) -> None:
    written(tmp_path, MADE, "registry.py")
    verdict = confirm_finding(finding("registry.py", "RL101", line_of(MADE, "self.count += 1")), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason
