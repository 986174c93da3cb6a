"""Measurements of cost: each in a forked child, on a fresh copy of the target and on the real primitives."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import types
from collections.abc import Callable
from typing import Any

from .capture import Capture, nothing, silence
from .subject import search_path

ROUNDS = 5


def everywhere() -> dict[str, str]:
    return {"gil-3.9": "modelled", "gil-3.10+": "observed", "free-threaded": "modelled"}


def fresh(scenario: dict[str, Any], code: Any) -> dict[str, Any]:
    module = types.ModuleType(scenario["module"])
    module.__file__ = scenario["path"]
    if "." in scenario["module"]:
        module.__package__ = scenario["module"].rpartition(".")[0]
    sys.modules[scenario["module"]] = module
    source = scenario["operations"][0]["source"]
    namespace: dict[str, Any] = {"__name__": "racelint_scenario", "target": module}
    if "run_target" in source:

        def run_target() -> None:
            module.__dict__["__name__"] = "__main__"
            exec(code, module.__dict__)

        namespace["run_target"] = run_target
    else:
        exec(code, module.__dict__)
    exec(scenario["setup"], namespace)
    return namespace


def in_child(scenario: dict[str, Any], work: Callable[[], dict[str, Any]], limit: float) -> dict[str, Any] | None:
    """Do the work in a forked child; its answer, `{"error": text}`, or None if it takes longer than `limit` seconds."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        _measure(scenario, work, writing)
    os.close(writing)
    try:
        ready, _, _ = select.select([reading], [], [], limit)
        text = os.read(reading, 65536) if ready else b""
    finally:
        os.close(reading)
        _end(child)
    if not ready:
        return None
    return json.loads(text) if text else {"error": "the operation ended the process"}


def _measure(scenario: dict[str, Any], work: Callable[[], dict[str, Any]], writing: int) -> None:
    answer: dict[str, Any]
    try:
        silence(Capture(nothing))
        search_path(scenario)
        answer = work()
    except BaseException as error:
        answer = {"error": f"the operation failed: {type(error).__name__}: {error}"}
    try:
        os.write(writing, json.dumps(answer).encode())
    finally:
        os._exit(0)


def _end(child: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, 0)


def spoken_seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.0f} ms" if value < 1 else f"{value:.2f} s"
