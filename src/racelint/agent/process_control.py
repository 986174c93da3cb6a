"""The controller of real processes: one socket, and one process at a time passes its gates."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH118, PTH207
import contextlib
import glob
import itertools
import json
import linecache
import os
import select
import signal
import socket
import time
from collections.abc import Callable
from typing import Any, NoReturn

from .process_run import run_operation
from .process_values import GONE

QUIET = 0.2
"""Seconds after which a process that says nothing counts as blocked."""

RUN_LIMIT = 8.0
SAMPLES = 5
_addresses = itertools.count()

Begin = Callable[[dict[str, Any], dict[str, Any], str], NoReturn]
"""What the first process of a run does: of a scenario, with a configuration for `process_side`, and a folder."""


class Run:
    """What one run of the scenario came to. `reports` are by process number, `order` the gates passed, in order.

    `said` is what processes tell besides, as labelled texts.

    `joining` are processes that waited for another at the end of a run that `hung`, `idle` says that they all only
    waited, `copies` what a manager gave out
    and was changed: process, container, what the manager has and what the copy is.
    """

    def __init__(self) -> None:
        self.reports: dict[int, dict[str, Any]] = {}
        self.labels: dict[int, str] = {0: "main process"}
        self.said: dict[int, list[tuple[str, str]]] = {}
        self.steps: list[dict[str, Any]] = []
        self.order: list[tuple[int, str, int]] = []
        self.result = ""
        self.error = ""
        self.hung = self.idle = False
        self.joining: set[int] = set()
        self.copies: list[tuple[int, str, str, str]] = []
        self.switch_used = False

    def witness(self, repeats: int) -> dict[str, Any]:
        """Its lanes; of the steps that one line of one process makes, `repeats` first and last ones."""
        numbers = sorted(self.labels)
        by_place: dict[tuple[int, str, int], list[int]] = {}
        for index, step in enumerate(self.steps):
            by_place.setdefault((step["thread"], step["path"], step["line"]), []).append(index)
        kept = sorted({index for places in by_place.values() for index in places[:repeats] + places[-repeats:]})
        lanes = []
        for step in (self.steps[index] for index in kept):
            source = linecache.getline(step["path"], step["line"]).strip()
            lanes.append({**step, "thread": numbers.index(step["thread"]), "source": source})
        return {"threads": [self.labels[number] for number in numbers], "steps": lanes}

    def shared(self) -> tuple[tuple[str, str], ...]:
        """What the first process sees at the end: its result and the shared objects."""
        report = self.reports.get(0, {})
        values = [(label, self._last(entry)) for label, entry in sorted(report.items()) if entry["shared"]]
        return (("result", self.result), *dict.fromkeys(values))

    def _last(self, entry: dict[str, Any]) -> str:
        """The value; of what ended with its manager, what the process saw of it that ended last."""
        value = str(entry["value"])
        if value == GONE:
            for report in self.reports.values():
                same = [other["value"] for other in report.values() if other.get("token") == entry["token"]]
                value = next((text for text in same if text != GONE), value)
        return value


class Pause:
    """Hold process `process` at `site`, `visit`-th time, until the others have ended or are blocked."""

    def __init__(self, process: int, site: str, visit: int) -> None:
        self.process = process
        self.site = site
        self.visit = visit


class Controller:
    """Runs the scenario once in a fresh process and lets one process at a time pass its gates."""

    def __init__(self, job: dict[str, Any], gates: list[str], folder: str, begin: Begin = run_operation) -> None:
        self.job = job
        self.gates = gates
        self.folder = folder
        self.begin = begin
        self.runs = 0

    def run(
        self, order: tuple[int, ...] = (), pause: Pause | None = None, limit: float = RUN_LIMIT, **ways: Any
    ) -> Run:
        """One run of at most `limit` seconds; `ways` are settings of `process_side` that differ from the usual."""
        self.runs += 1
        address = os.path.join(self.folder, f"gate{next(_addresses)}")
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        server.bind(address)
        server.listen(32)
        scenario = self.job["scenario"]
        configuration = {
            "address": address,
            "gates": self.gates,
            "flagged": scenario.get("flagged") or [],
            "turns": 3,
            "paths": [scenario["path"], *scenario["instrument"]],
            "roots": scenario["sys_path"],
            **ways,
        }
        child = os.fork()
        if child == 0:
            os.setpgid(0, 0)
            server.close()
            self.begin(scenario, configuration, self.folder)
        session = Session(server, order, pause, limit)
        try:
            session.serve(child)
        finally:
            server.close()
            _end_group(child)
        return session.run


class Session:
    """The conversation with the processes of one run."""

    def __init__(self, server: socket.socket, order: tuple[int, ...], pause: Pause | None, limit: float) -> None:
        self.server = server
        self.limit = limit
        self.rank = {number: rank for rank, number in enumerate(order)}
        self.pause = pause
        self.run = Run()
        self.waiting: dict[int, tuple[socket.socket, dict[str, Any]]] = {}
        self.live: set[int] = {0}
        self.joining: set[int] = set()
        self.running: set[int] = {0}
        self.silent: set[int] = set()
        self.buffers: dict[socket.socket, bytes] = {}

    def serve(self, child: int) -> None:
        deadline = time.monotonic() + self.limit
        heard = time.monotonic()
        while self.live and time.monotonic() < deadline:
            busy = self.running - self.joining - self.silent
            patience = max(0.0, heard + QUIET - time.monotonic()) if busy else 0.0
            if self._listen(patience if self.waiting else 0.05):
                heard = time.monotonic()
                continue
            if self.waiting and (not busy or time.monotonic() - heard >= QUIET):
                # Who says nothing for so long is blocked, until it speaks again.
                self.silent |= busy
                self._let_go()
                heard = time.monotonic()
            if not self.waiting and _has_ended(child):
                self._listen(0.05)
                return
        self.run.hung = bool(self.live)
        self.run.idle = self.run.hung and _is_idle(child)
        self.run.joining = self.joining & self.live

    def _listen(self, patience: float) -> bool:
        ready, _, _ = select.select([self.server, *self.buffers], [], [], patience)
        for connection in ready:
            if connection is self.server:
                accepted, _ = self.server.accept()
                self.buffers[accepted] = b""
                continue
            try:
                received = connection.recv(65536)
            except ConnectionResetError:  # it was ended, as by `terminate`, before it had read what it was told
                received = b""
            if not received:
                del self.buffers[connection]
                connection.close()
                continue
            *lines, self.buffers[connection] = (self.buffers[connection] + received).split(b"\n")
            for line in lines:
                self._hear(connection, json.loads(line))
        return bool(ready)

    def _hear(self, connection: socket.socket, message: dict[str, Any]) -> None:
        number, kind = message["process"], message["type"]
        self.silent.discard(number)
        if kind == "spawned":
            self.run.labels[message["child"]] = message["label"]
            self.live.add(message["child"])
            self.running.add(message["child"])
        elif kind in ("begin", "at", "joined"):
            self.joining.discard(number)
            self.running.discard(number)
            self.waiting[number] = (connection, message)
        elif kind == "joining":
            self.joining.add(number)
        elif kind == "step":
            self.run.steps.append({"thread": number, **{k: message[k] for k in ("path", "line", "action")}})
        elif kind == "end":
            self.run.reports[number] = message["report"]
            self.run.said[number] = [(label, text) for label, text in message["said"]]
            self.run.copies.extend((number, *copy) for copy in message["copies"])
            self.live.discard(number)
            self.running.discard(number)
            self.joining.discard(number)
            if number == 0:
                self.run.result, self.run.error = message["result"], message["error"]

    def _let_go(self) -> None:
        """Let one process pass: the one that ran last stays, then the order of the run, the paused one last."""
        paused = [number for number, (_, said) in self.waiting.items() if self._is_paused(number, said)]
        free = [number for number in self.waiting if number not in paused]
        if paused and free:
            self.run.switch_used = True
        chosen = min(free or paused, key=self._rank)
        if chosen in paused:
            self.pause = None
        connection, said = self.waiting.pop(chosen)
        if said["type"] == "at":
            self.run.order.append((chosen, said["site"], said["visit"]))
        self.running.add(chosen)
        try:
            connection.sendall(b"go\n")
        except OSError:
            self.running.discard(chosen)

    def _rank(self, number: int) -> tuple[int, int]:
        return (self.rank.get(number, len(self.rank)), number)

    def _is_paused(self, number: int, said: dict[str, Any]) -> bool:
        pause = self.pause
        if pause is None or said["type"] != "at" or number != pause.process:
            return False
        return bool(said["site"] == pause.site and said["visit"] == pause.visit)


def _is_idle(group: int) -> bool:
    """Whether no process of the group runs, or would if it had a processor, as far as the system tells."""
    for _ in range(SAMPLES):
        for path in glob.glob("/proc/[0-9]*/stat"):
            with contextlib.suppress(OSError), open(path) as file:
                state, _, of_group = file.read().rpartition(")")[2].split()[:3]
                if int(of_group) == group and state in "RD":
                    return False
        time.sleep(QUIET / 2)
    return True


def _has_ended(child: int) -> bool:
    try:
        ended, _ = os.waitpid(child, os.WNOHANG)
    except ChildProcessError:
        return True
    return ended == child


def _end_group(child: int) -> None:
    """End every process of the run."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)
