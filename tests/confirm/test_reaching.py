"""What it takes for a scenario to come to the finding's lines: other arguments, another source, one object for two."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from racelint.confirm import Limits, confirm_finding, confirm_target
from racelint.confirm.options import compared_with
from racelint.confirm.outline import read_outline
from racelint.model.finding import Finding, Step

LIMITS = Limits(python=sys.executable, budget=20.0)

OPTIONAL = """\
class Names:
    def __init__(self):
        self.held = {}

    def put(self, name):
        self.held[name] = 1

    def remove(self, name=None, prefix=None):
        if name and name in self.held:
            del self.held[name]  # racy
            return 1
        return 0
"""

MODE = """\
class Switch:
    def __init__(self):
        self.turns = 0

    def turn(self, way="left"):
        if way == "back":
            self.turns += 1  # racy
"""

BOUND = """\
class Recent:
    def __init__(self, maxsize=256):
        self.maxsize = maxsize
        self.held = []

    def add(self, item: str):
        self.held.append(item)
        if len(self.held) > self.maxsize:
            self.held.remove(self.held[0])  # racy
"""

DOCUMENT = """\
import json

class Settings:
    def __init__(self):
        self.version = 0

    def load(self, text: str):
        json.loads(text)["key"]
        self.version += 1  # racy
"""

SUBCLASS = """\
class Span:
    def __new__(cls, *args):
        if cls is Span:
            raise TypeError("made by a tracer")
        return super().__new__(cls)

    def __init__(self):
        self.events = 0

    def add(self):
        self.events += 1  # racy

class _Span(Span):
    pass
"""

FACTORY = """\
_allowed = False

class Session:
    def __init__(self):
        if not _allowed:
            raise RuntimeError("call connect()")
        self.sent = 0

    def send(self):
        self.sent += 1  # racy

def connect():
    global _allowed
    _allowed = True
    session = Session()
    return session
"""

TURNING = """\
import threading

class Counter:
    def __init__(self):
        self.n = 0

    def remove(self, name=None):
        if name:
            self.n += 1  # racy

def serve():
    threading.Thread(target=Counter().remove).start()
    while True:
        sum(range(1000))
"""


def flagged(path: Path, source: str, mark: str = "  # racy", conflict: str = "") -> Finding:
    path.write_text(source)
    line = source[: source.index(mark)].count("\n") + 1
    other = source[: source.index(conflict)].count("\n") + 1 if conflict else line
    steps = (Step("conflict", "writes", path.name, other, 1),)
    return Finding("RL101", "x", "m", "w", path.name, line, 1, line, 2, "error", "high", "thread", "", "", steps)


@pytest.mark.parametrize(
    "source",
    [MODE, BOUND, DOCUMENT, SUBCLASS, FACTORY, TURNING],
    ids=["compared", "bound", "document", "subclass", "factory", "beside a loop without end"],
)
def test_the_finding_is_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.chdir(tmp_path)
    verdict = confirm_finding(flagged(tmp_path / "mod.py", source), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason


TICKETS = """\
import threading

class Tickets:
    def __init__(self):
        self.free = [1, 2, 3]

    def take(self):
        if self.free:  # racy
            return self.free.pop()
        return None
"""

STARTED = """
tickets = Tickets()
threads = [threading.Thread(target=tickets.take) for _ in range(4)]
for thread in threads:
    thread.start()
"""


@pytest.mark.parametrize("started", ["", STARTED], ids=["calm", "its import starts threads"])
def test_all_but_one_of_what_is_there_is_taken_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = msgspec.structs.replace(flagged(tmp_path / "mod.py", TICKETS + started), code="RL104")
    verdict = confirm_finding(found, LIMITS, tmp_path)
    assert verdict.status == "confirmed", verdict.reason
    assert "IndexError" in (verdict.outcome or "")


def test_an_argument_with_a_default_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    verdict = confirm_finding(flagged(tmp_path / "mod.py", OPTIONAL), LIMITS, tmp_path)
    assert verdict.status == "confirmed", verdict.reason
    assert "KeyError" in (verdict.outcome or "")


def test_an_inherited_method_and_one_of_the_subclass_meet_on_one_object(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = """\
class Rpc:
    def __init__(self):
        self.call = self

    def is_active(self):
        return self.call is not None and self.call.answers()  # racy

    def answers(self):
        return True

class Resumable(Rpc):
    def reopen(self):
        self.call = None  # emptied
        self.call = self
"""
    found = flagged(tmp_path / "mod.py", source, conflict="  # emptied")
    verdict = confirm_finding(found, LIMITS, tmp_path)
    assert verdict.status == "confirmed", verdict.reason


def test_the_variables_of_closures_have_a_short_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = """\
def made():
    count = 0
    def add():
        nonlocal count
        count += 1  # racy
    return add
"""
    verdict = confirm_finding(flagged(tmp_path / "mod.py", source), LIMITS, tmp_path)
    assert verdict.outcome == "variables_of(made_by_made) = {'count': 1}"


def test_what_a_parameter_is_compared_with(tmp_path: Path) -> None:
    path = tmp_path / "mod.py"
    path.write_text("def f(a, b):\n    if a == 'x' or a in ('y', 2): ...\n    if b == a or a < 3: ...\n")
    body = read_outline(path, "mod").functions["f"]
    assert compared_with("a", [body]) == ("'x'", "'y'", "2")
    assert compared_with("b", [body]) == ()


def test_a_module_that_its_package_must_import_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    package = tmp_path / "wired"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "api.py").write_text("from . import core\n")
    (package / "core.py").write_text("from . import server\nprotocol = server.Counter\n")
    source = """\
from . import core

core.protocol if hasattr(core, "protocol") else None

class Counter:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1  # racy
"""
    found = flagged(package / "server.py", source)
    moved = msgspec.structs.replace(found, path="wired/server.py", trace=())
    verdict = confirm_finding(moved, LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason


def test_a_framework_gets_the_settings_that_it_has_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "django").mkdir()
    (tmp_path / "django" / "__init__.py").write_text("")
    (tmp_path / "django" / "conf.py").write_text(
        "class Settings:\n    configured = False\n    def configure(self):\n        self.configured = True\n"
        "    def size(self):\n        if not self.configured:\n"
        "            raise RuntimeError('Requested settings, but settings are not configured.')\n        return 1\n"
        "settings = Settings()\n"
    )
    source = """\
from django.conf import settings

class Cache:
    def __init__(self):
        self.size = settings.size()

    def grow(self):
        self.size += 1  # racy
"""
    verdict = confirm_finding(flagged(tmp_path / "mod.py", source), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason


def test_what_only_type_checkers_see_is_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    source = """\
from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    class Info:
        name: str

class Scheduler:
    def __init__(self, info: Info):
        self.info = info
        self.runs = 0

    def run(self):
        self.runs += 1  # racy
"""
    verdict = confirm_finding(flagged(tmp_path / "mod.py", source), LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason


def test_one_thread_that_waits_for_itself_only_when_something_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = """\
import threading

class Client:
    def __init__(self):
        self.lock = threading.Lock()
        self.socket = None

    def connect(self):
        self.socket = object()

    def close(self):
        with self.lock:
            self.socket = None

    def renew(self):
        with self.lock:  # racy
            if self.socket:
                self.close()
"""
    found = msgspec.structs.replace(flagged(tmp_path / "mod.py", source), code="RL203", trace=())
    verdict = confirm_finding(found, LIMITS, tmp_path)
    assert (verdict.status, verdict.effect) == ("confirmed", "hang"), verdict.reason
    assert "after Client.connect" in verdict.reason


@pytest.mark.parametrize(
    ("entered", "status"), [("counter.get_lock()", "not-reproduced"), ("counter.part", "confirmed")]
)
def test_the_lock_of_a_stand_in_excludes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entered: str, status: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mod.py").write_text(f"def count(counter):\n    with {entered}:\n        counter.total += 1\n")
    [result] = confirm_target("mod.py::count", [], LIMITS)
    assert result.verdict.status == status, result.verdict.reason
