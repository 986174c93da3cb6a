"""RL606: the child wants a lock that a thread of the parent holds, or does not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from racelint.confirm import Limits, confirm_finding, replay
from racelint.model.finding import Finding, Step, Verdict

LIMITS = Limits(python=sys.executable, budget=10.0)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")

MONITOR = """\
import os
import threading

class Monitor:
    def __init__(self):
        self.lock = threading.Lock()
        self.pid = None
        FORKED

    def ensure_running(self):
        if self.pid == os.getpid():
            return
        with self.lock:
            self.pid = os.getpid()

    def renew(self):
        self.lock = threading.Lock()
"""

CLIENT = """\
import os
import threading

class Client:
    def __init__(self):
        self.lock = threading.RLock()
        self.socket = None
        self.sent = 0
        os.register_at_fork(HANDLERS)

    def send(self):
        with self.lock:
            self.sent += 1
            self.socket = "open"

    def hold(self):
        self.lock.acquire()

    def after_fork(self):
        with self.lock:
            self.socket = None

    def start_over(self):
        self.lock = threading.RLock()
        self.after_fork()

    def release(self):
        self.lock.release()
        self.after_fork()
"""


def verdict(folder: Path, source: str, flagged: str, taken: str, cwd: pytest.MonkeyPatch) -> Verdict:
    path = folder / "forking.py"
    path.write_text(source)
    lines = source.splitlines()
    line, access = (next(n for n, text in enumerate(lines, 1) if part in text) for part in (flagged, taken))
    steps = (Step("access", "takes the lock", path.name, access, 1),)
    fields = ("RL606", "fork-with-threads", "the lock is inherited", "", path.name, line, 1, line, 2)
    cwd.chdir(folder)
    return confirm_finding(Finding(*fields, "warning", "medium", None, "", "lock", steps), LIMITS, folder)


@pytest.mark.parametrize(
    ("forked", "status"),
    [
        ("pass", "confirmed"),
        ("os.register_at_fork(after_in_child=self.renew)", "not-reproduced"),
        ("os.register_at_fork(before=self.lock.acquire, after_in_child=self.lock.release)", "not-reproduced"),
    ],
)
def test_a_fork_while_a_thread_is_inside_of_the_lock(
    forked: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = MONITOR.replace("FORKED", forked)
    given = verdict(tmp_path, source, "self.lock = threading.Lock()", "with self.lock", monkeypatch)
    assert given.status == status, given.reason
    if status == "confirmed":
        assert given.effect == "hang"
        assert "fork, then Monitor.ensure_running waits in with self.lock, held by" in (given.outcome or "")
        _, again = replay(given.schedule or "", LIMITS, [tmp_path])
        assert again.outcome == given.outcome


@pytest.mark.parametrize(
    ("handlers", "status"),
    [
        ("after_in_child=self.after_fork", "confirmed"),
        ("after_in_child=self.start_over", "not-reproduced"),
        ("before=self.hold, after_in_child=self.release", "not-reproduced"),
    ],
)
def test_a_handler_that_takes_the_lock(
    handlers: str, status: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = CLIENT.replace("HANDLERS", handlers)
    lock = "with self.lock:\n            self.socket"
    line = source[: source.index(lock)].count("\n")
    source_lines = source.splitlines()
    source_lines[line] += "  # taken"
    given = verdict(tmp_path, "\n".join(source_lines), "# taken", "# taken", monkeypatch)
    assert given.status == status, given.reason
    if status == "confirmed":
        assert "fork waits in with self.lock, held by Client.send" in (given.outcome or "")
