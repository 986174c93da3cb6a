"""Code that does its worst: every end of the child is a verdict with a reason, and nothing of it stays behind."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import pytest

from racelint.confirm import Limits, confirm_target
from racelint.confirm.leftovers import PROC
from racelint.model.finding import Verdict

CLASS = """
import ctypes, os, subprocess, sys, time
class Hostile:
    n = 0
    def act(self):
{body}
"""


def verdict_of(tmp_path: Path, body: str, seconds: float = 2.0, memory: int = 2**30) -> Verdict:
    path = tmp_path / "hostile.py"
    path.write_text(CLASS.format(body="\n".join(f"        {line}" for line in body.splitlines())))
    limits = Limits(python=sys.executable, budget=seconds, memory=memory)
    return confirm_target(f"{path}::Hostile.act", [], limits, tmp_path)[0].verdict


@pytest.fixture(autouse=True)
def nothing_left(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> object:
    """Each test has a temporary folder of its own, empty again at the end."""
    scratch = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    yield
    assert list(scratch.iterdir()) == []


def test_exit_without_an_answer(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "os._exit(3)")
    assert verdict.status == "inconclusive"
    assert "status 3" in verdict.reason


def test_quiet_exit(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "os._exit(0)")
    assert verdict.status == "inconclusive"
    assert "os._exit(0)" in verdict.reason or "ended while it was probed" in verdict.reason


def test_crash_of_the_interpreter(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "ctypes.string_at(0)")
    assert verdict.status == "inconclusive"
    assert "SIGSEGV" in verdict.reason


def test_endless_loop_in_c(tmp_path: Path) -> None:
    started = time.monotonic()
    verdict = verdict_of(tmp_path, "sum(iter(int, 1))", seconds=1.0)
    assert verdict.status == "inconclusive"
    assert "stopped after" in verdict.reason
    assert time.monotonic() - started < 25


def test_endless_loop_in_python(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "while True: pass", seconds=1.0)
    assert verdict.status in ("inconclusive", "not-reproduced")
    assert verdict.reason


def test_memory(tmp_path: Path) -> None:
    verdict = verdict_of(tmp_path, "self.hoard = bytearray(4 * 2**30)", memory=2**29)
    assert verdict.status != "confirmed"


def test_flood_of_output(tmp_path: Path) -> None:
    body = "line = b'x' * 2**20\nfor _ in range(200):\n    os.write(1, line)\n    os.write(2, line)"
    verdict = verdict_of(tmp_path, body)
    assert verdict.status in ("confirmed", "inconclusive", "not-reproduced")


def test_files_go_to_the_scratch_folder(tmp_path: Path) -> None:
    verdict_of(tmp_path, "open('left-behind.txt', 'w').write('x')")
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.py"]
    assert not Path("left-behind.txt").exists()


@pytest.mark.skipif(not PROC.is_dir(), reason="finds escaped processes through /proc")
@pytest.mark.parametrize("session", ["False", "True"], ids=["same session", "own session"])
def test_grandchildren_are_ended(tmp_path: Path, session: str) -> None:
    notes = tmp_path / "pids"
    body = (
        "sleep = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        f"child = subprocess.Popen(sleep, start_new_session={session})\n"
        f"with open({str(notes)!r}, 'a') as file:\n    file.write(f'{{child.pid}} ')\n"
        "os._exit(1)"
    )
    verdict_of(tmp_path, body)
    pids = notes.read_text().split()
    assert pids
    assert still_running(pids) == []


def is_running(pid: str) -> bool:
    """Whether the process is there and no zombie that its new parent has yet to collect."""
    try:
        status = (PROC / pid / "stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def still_running(pids: list[str]) -> list[str]:
    """Those that do not end: who was killed is there until it next gets a processor, so each is given time to go."""
    patience = time.monotonic() + 30.0
    while (left := [pid for pid in pids if is_running(pid)]) and time.monotonic() < patience:
        time.sleep(0.02)
    return left


TRACED = "seen = []\nsys.settrace(lambda *event: seen.append(1))\nself.n = 1\nsys.settrace(None)"
GREENLETS = "greenlet = __import__('greenlet')\ngreenlet.greenlet(lambda: setattr(self, 'n', 1)).switch()"
HARMLESS = {
    "deep recursion": "def down(n):\n    return down(n + 1)\ndown(0)",
    "deep state": "self.chain = chain = []\nfor _ in range(100_000):\n    chain.append([])\n    chain = chain[0]",
    "printed flood": "for _ in range(100_000):\n    print('x' * 1000)",
    "trace function": TRACED,
    "greenlets": GREENLETS,
    "signal handlers": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.alarm(0)",
    "reads input": "self.line = sys.stdin.read()",
    "closes its files": "os.closerange(0, 100)",
    "refuses to be looked at": "class Shy:\n    def __getattribute__(self, name):\n        raise OSError(name)\n"
    "    def __hash__(self):\n        raise OSError\nself.shy = [Shy()]",
    "wrong text": "class Mute(int):\n    def __repr__(self):\n        raise OSError\nself.mute = Mute()",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_odd_code_is_explored_like_any_other(tmp_path: Path, name: str) -> None:
    if name == "greenlets":
        pytest.importorskip("greenlet")
    verdict = verdict_of(tmp_path, HARMLESS[name])
    assert verdict.status in ("not-reproduced", "benign"), verdict.reason


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("os.abort()", "SIGABRT"),
        ("import signal\nos.killpg(0, signal.SIGKILL)", "was killed"),
        ("self.hoard = []\nwhile True:\n    self.hoard.append('x' * 10**7 + str(len(self.hoard)))", ""),
        ("sys.modules.clear()", ""),
    ],
    ids=["abort", "kills its group", "many small objects", "forgets its modules"],
)
def test_code_that_ends_its_process(tmp_path: Path, body: str, said: str) -> None:
    verdict = verdict_of(tmp_path, body, memory=2**29)
    assert verdict.status != "confirmed"
    assert said in verdict.reason


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
FORKS = {"seen": "os.fork", "hidden": "getattr(os, 'fork')"}
"""A fork that the source shows is run with real processes, one that it does not in the process under control."""


@needs_fork
@pytest.mark.parametrize("fork", FORKS)
def test_fork_inside(tmp_path: Path, fork: str) -> None:
    verdict = verdict_of(tmp_path, f"if {FORKS[fork]}() == 0:\n    time.sleep(600)")
    assert verdict.status == {"seen": "unsupported", "hidden": "not-reproduced"}[fork], verdict.reason


@needs_fork
@pytest.mark.skipif(not PROC.is_dir(), reason="counts processes through /proc")
@pytest.mark.parametrize("session", ["pass", "os.setsid()"], ids=["same session", "own sessions"])
@pytest.mark.parametrize("fork", FORKS)
def test_fork_bomb(tmp_path: Path, fork: str, session: str) -> None:
    notes = tmp_path / "pids"
    body = (
        f"while True:\n    if {FORKS[fork]}() == 0:\n"
        f"        with open({str(notes)!r}, 'a') as file:\n            file.write(f'{{os.getpid()}} ')\n"
        f"        {session}"
    )
    verdict = verdict_of(tmp_path, body)
    assert verdict.status in ("unsupported", "inconclusive")
    assert "it forks processes without end: 64 were left running" in verdict.reason
    pids = notes.read_text().split()
    assert pids
    assert still_running(pids) == []


@needs_fork
def test_a_fork_never_answers_for_the_search(tmp_path: Path) -> None:
    body = "seen = self.n\nchild = getattr(os, 'fork')()\nif child:\n    os.waitpid(child, 0)\n    self.n = seen + 1"
    verdict = verdict_of(tmp_path, body, seconds=6.0)
    assert (verdict.status, verdict.effect) == ("confirmed", "lost-update"), verdict.reason


@needs_fork
def test_processes_of_multiprocessing_run_inside(tmp_path: Path) -> None:
    body = (
        "fork = getattr(__import__('multi' + 'processing'), 'get_context')('fork')\n"
        "receiver, sender = fork.Pipe(False)\n"
        "process = getattr(fork, 'Process')(target=sender.send, args=(7,))\n"
        "process.start()\nprocess.join()\nself.got = receiver.recv()"
    )
    verdict = verdict_of(tmp_path, body, seconds=4.0)
    assert verdict.status in ("not-reproduced", "inconclusive"), verdict.reason


def test_permissions_taken_away(tmp_path: Path) -> None:
    body = "os.makedirs('deep/er', exist_ok=True)\nos.chmod('deep/er', 0)\nos.chmod('deep', 0)"
    assert verdict_of(tmp_path, body).status != "confirmed"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module_at_all\ndef f(): ...\n", "no_such_module_at_all"),
        ("raise ValueError('not today')\ndef f(): ...\n", "not today"),
        ("import os\nos._exit(7)\ndef f(): ...\n", "status 7"),
    ],
    ids=["missing dependency", "import raises", "import exits"],
)
def test_import_that_fails(tmp_path: Path, source: str, said: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(source)
    verdict = confirm_target(f"{path}::f", [], Limits(python=sys.executable, budget=2.0), tmp_path)[0].verdict
    assert verdict.status in ("unsupported", "inconclusive")
    assert said in verdict.reason


def test_our_environment_is_not_changed(tmp_path: Path) -> None:
    before = dict(os.environ)
    verdict_of(tmp_path, "os.environ['RACELINT_TEST'] = '1'")
    assert dict(os.environ) == before
