"""Clients that connect in their methods are driven without a network."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.confirm import Limits, confirm_target

CLIENT = """\
import select
import socket


class Client:
    def __init__(self, host="database.invalid"):
        self.host = host
        self.sock = None
        self.sent = 0

    def send(self, data: bytes):
        sock = socket.create_connection((self.host, 5432), timeout=5)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        assert not select.select([sock], [], [], 0)[0]
        sock.sendall(data)
        assert sock.makefile("rb").readline() == b""
        held = self.sent
        self.sent = held + 1
"""


def test_a_client_that_connects_in_its_method(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "client.py").write_text(CLIENT)
    [result] = confirm_target("client.py::Client.send", (), Limits(budget=15.0))
    assert (result.verdict.status, result.verdict.effect) == ("confirmed", "lost-update"), result.verdict.reason
    assert result.verdict.outcome is not None
    assert "sent=1" in result.verdict.outcome


SHARED = """\
import multiprocessing


class Bar:
    def __init__(self):
        self.lock = multiprocessing.RLock()
        self.plain = multiprocessing.Lock()
        self.count = 0

    def guarded(self):
        with self.lock, self.lock, self.plain:
            held = self.count
            self.count = held + 1

    def half(self):
        with self.lock:
            held = self.count
        self.count = held + 1
"""


@pytest.mark.parametrize(
    ("method", "status", "effect"),
    [
        ("guarded", "not-reproduced", None),
        ("half", "confirmed", "lost-update"),
    ],
)
def test_locks_of_multiprocessing_between_threads(
    method: str, status: str, effect: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bar.py").write_text(SHARED)
    [result] = confirm_target(f"bar.py::Bar.{method}", (), Limits(budget=15.0))
    assert (result.verdict.status, result.verdict.effect) == (status, effect), result.verdict.reason
