"""What runs in each real process of a scenario: reports what the process touches, and waits where it is told to.

Processes talk to the controller (`processes.py`) through a Unix socket, one JSON object a line. A forked process
inherits all this; a spawned one gets it from a `sitecustomize` that the controller puts on its path.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
import types
from typing import Any

from . import points
from . import sites as kinds
from .access_log import locations
from .instrument import OPERATORS
from .loader import InstrumentingFinder
from .process_values import is_plain, is_shared, is_signal, parts_of, spoken, token_of
from .process_ways import ProxyCopies, shrink_pipes, spawn_by_default
from .snapshot import CODE

CONFIGURATION = "RACELINT_PROCESSES"


class ProcessSide:
    """This process's end of the controller. `number` is 0 for the one that runs the operation."""

    def __init__(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration
        self.number = 0
        self.started = 0
        self.gates = frozenset(configuration["gates"])
        self.flagged = {(flag["path"], flag["line"]) for flag in configuration["flagged"]}
        self.visits: dict[str, int] = {}
        self.tracked: dict[str, Any] = {}
        self.written: set[int] = set()
        self.written_names: set[tuple[str, str]] = set()
        self.touched: set[int] = set()
        self.flagged_objects: set[int] = set()
        self._alive: list[Any] = []
        self._pending: dict[int, Any] = {}
        self._connection: socket.socket | None = None
        self._replies: Any = None
        self.counts = points.LoopCounts()
        self.counts.base = configuration["turns"]
        self.proxies = ProxyCopies()
        self.said: list[tuple[str, str]] = []
        self.finder = InstrumentingFinder(configuration["paths"], configuration["roots"])
        self.finder.compile_all()
        self.finder.traced = True
        self.finder.use(self.marks())

    # Talking to the controller

    def send(self, message: dict[str, Any], wait: bool = False) -> None:
        if self._connection is None:
            self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._connection.connect(self.configuration["address"])
            self._replies = self._connection.makefile("r")
        message["process"] = self.number
        self._connection.sendall((json.dumps(message) + "\n").encode())
        if wait and not self._replies.readline():
            os._exit(1)  # the controller is gone

    def become(self, number: int) -> None:
        """A new process begins: it has its own connection and its own record."""
        self._connection = None
        self.number = number
        self.visits = {}
        self.written, self.touched, self.flagged_objects = set(), set(), set()
        self.written_names = set()
        self.proxies.forget()
        self.send({"type": "begin"}, wait=True)

    # Marks

    def marks(self) -> dict[str, Any]:
        """The functions behind the marks of the instrumented code."""

        def point(site: int, obj: Any = None) -> Any:
            self._access(site, obj)
            return obj

        def name(site: int, obj: Any) -> Any:
            self._pending[site] = obj
            return obj

        def late(site: int, value: Any) -> Any:
            self._access(site, self._pending.get(site))
            return value

        def same(site: int, value: Any) -> Any:
            return value

        return {
            **OPERATORS,
            "_rl_p": point,
            "_rl_q": name,
            "_rl_c": late,
            "_rl_t": lambda site: True,
            "_rl_o": points.elements(point),
            "_rl_n": self.counts.shorten,
            "_rl_s": lambda site, test: None,
            "_rl_v": self._read,
            "_rl_w": self._wrote,
        }

    def _access(self, number: int, obj: Any) -> None:
        site = self.finder.table[number]
        if site.name in self.gates:
            visit = self.visits.get(site.name, 0) + 1
            self.visits[site.name] = visit
            self.send({"type": "at", "site": site.name, "visit": visit}, wait=True)
        for location, write in locations(site, obj):
            flagged = (site.path, site.line) in self.flagged
            if location[0] == "name":
                if write:
                    self.written_names.add((site.path, site.what))
                continue
            self._alive.append(obj)
            where = location[1]
            self.touched.add(where)
            if write:
                self.written.add(where)
            if flagged:
                self.flagged_objects.add(where)
        if site.kind in (kinds.WRITE, kinds.ITEM_WRITE) and number in self._pending:
            self._tell(site, f"wrote {site.text} = {spoken(self._pending.pop(number))}")
        elif site.kind == kinds.CONTENTS and any(obj is value for value in self.tracked.values()):
            self._tell(site, f"read {site.text} = {spoken(obj)}", always=True)

    def _read(self, number: int, value: Any) -> Any:
        site = self.finder.table[number]
        if site.kind != kinds.CALL:
            self._tell(site, f"read {site.text} = {spoken(value)}")
        return value

    def _wrote(self, number: int, value: Any) -> Any:
        self._pending[number] = value
        return value

    def _tell(self, site: Any, action: str, always: bool = False) -> None:
        if always or site.name in self.gates or (site.path, site.line) in self.flagged:
            self.send({"type": "step", "path": site.path, "line": site.line, "action": action})

    # What it had at its end

    def track(self, label: str, value: Any) -> None:
        """Compare this object between the processes that have it."""
        self.tracked.setdefault(label, value)

    def last_words(self) -> dict[str, Any]:
        """What is told of this process at its end."""
        return {"report": self.report(), "copies": self.proxies.changed(), "said": self.said}

    def report(self) -> dict[str, Any]:
        """Final values of tracked objects and module globals, and which of them this process wrote or touched."""
        objects = {}
        for label, value in self.tracked.items():
            inner = {id(value), *parts_of(value)}
            objects[label] = {
                "value": spoken(value),
                "shared": is_shared(value),
                "token": token_of(value),
                "signal": is_signal(value),
                "written": bool(inner & self.written),
                "touched": bool(inner & self.touched),
                "flagged": bool(inner & self.flagged_objects),
            }
        for module in self.finder.live:
            for name, value in list(vars(module).items()):
                if name.startswith("_") or isinstance(value, (*CODE, type)) or is_shared(value):
                    continue
                inner = {id(value), *parts_of(value)}
                written = (getattr(module, "__file__", ""), name) in self.written_names
                objects[f"global {name}"] = {
                    "value": spoken(value),
                    "shared": False,
                    "signal": is_signal(value),
                    "written": written or bool(inner & self.written),
                    "touched": written or bool(inner & self.touched),
                    "flagged": written or bool(inner & self.flagged_objects),
                }
        return objects


# Installing it in a process


def install(configuration: dict[str, Any]) -> ProcessSide:
    """Instrument this process: import hook, and hooks in `multiprocessing`."""
    side = ProcessSide(configuration)
    sys.meta_path.insert(0, side.finder)
    time.sleep = lambda seconds: None
    _hook_processes(side)
    if configuration.get("copies"):
        side.proxies.watch()
    if configuration.get("spawn"):
        spawn_by_default()
    if configuration.get("small_pipes"):
        shrink_pipes()
    return side


def install_from_environment() -> None:
    """For a spawned process: called by its `sitecustomize`."""
    text = os.environ.get(CONFIGURATION)
    if text:
        side = install(json.loads(text))
        side.number = -1
        _hook_spawn(side)


def _hook_processes(side: ProcessSide) -> None:
    from multiprocessing import process

    base: Any = process.BaseProcess
    start, bootstrap, join = base.start, base._bootstrap, base.join

    def hooked_start(self: Any) -> None:
        self._rl_serves = _serves_a_manager(self)
        if self._rl_serves:
            start(self)
            return
        side.started += 1
        self._rl_number = side.started
        _track_arguments(side, self)
        side.send({"type": "spawned", "child": side.started, "label": self.name})
        start(self)

    def hooked_bootstrap(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._rl_serves:
            return bootstrap(self, *args, **kwargs)
        side.tracked = {}
        _track_arguments(side, self)
        side.become(self._rl_number)
        try:
            return bootstrap(self, *args, **kwargs)
        finally:
            side.send({"type": "end", **side.last_words()})

    def hooked_join(self: Any, timeout: float | None = None) -> None:
        if self._rl_serves:
            join(self, timeout)
            return
        side.send({"type": "joining"})
        join(self, 0 if side.configuration.get("joins_return") else timeout)
        side.send({"type": "joined"}, wait=True)

    base.start, base._bootstrap, base.join = hooked_start, hooked_bootstrap, hooked_join


def _serves_a_manager(process: Any) -> bool:
    """Whether it is the server of a `Manager`, which ends with that: it takes no turns among the program's own."""
    target = getattr(process, "_target", None)
    return getattr(target, "__name__", "") == "_run_server" and target.__module__ == "multiprocessing.managers"


def _track_arguments(side: ProcessSide, process: Any) -> None:
    values = [*process._args, *process._kwargs.values()]
    for index, value in enumerate(values):
        if is_plain(value):
            side.track(f"argument {index + 1} of {process.name}", value)


def _hook_spawn(side: ProcessSide) -> None:
    """The main file of a spawned process is run by path, past any import hook: run the instrumented copy."""
    from multiprocessing import spawn as module

    spawn: Any = module
    original = spawn._fixup_main_from_path

    def fixup(main_path: str) -> None:
        real = os.path.realpath(main_path)
        if real not in side.finder.paths:
            original(main_path)
            return
        main = types.ModuleType("__mp_main__")
        main.__file__ = real
        side.finder.bind(main)
        sys.modules["__main__"] = sys.modules["__mp_main__"] = main
        exec(side.finder.compile(real, side.finder.traced), main.__dict__)

    spawn._fixup_main_from_path = fixup
