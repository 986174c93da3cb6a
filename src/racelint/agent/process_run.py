"""The first process of a run: imports the target and executes the operation, which starts the others."""

from __future__ import annotations

import json
import os
import sys
from typing import Any, NoReturn

from . import fake_thread
from .capture import Capture, nothing, silence
from .carriers import ThreadCarrier
from .control import Control
from .process_side import CONFIGURATION, install
from .process_values import is_plain
from .snapshot import Snapshot, text_of
from .subject import search_path


def run_operation(scenario: dict[str, Any], configuration: dict[str, Any], folder: str) -> NoReturn:
    """Run set-up, operation and `after`, report to the controller and end the process."""
    os.environ[CONFIGURATION] = json.dumps(configuration)
    search_path(scenario)
    fake_thread.build(Control(ThreadCarrier()))
    silence(Capture(nothing))
    side = install(configuration)
    result, error = "", ""
    try:
        result = _execute(scenario, side)
    except SystemExit:
        pass
    except BaseException as problem:
        error = f"the operation failed: {type(problem).__name__}: {problem}"
    try:
        side.send({"type": "end", **side.last_words(), "result": result, "error": error})
    finally:
        os._exit(0)


def _execute(scenario: dict[str, Any], side: Any) -> str:
    finder = side.finder
    namespace: dict[str, Any] = {"__name__": "racelint_scenario"}

    def run_target() -> None:
        finder.run_script(scenario["path"])

    namespace["run_target"] = run_target
    source = scenario["operations"][0]["source"]
    if "run_target" not in source:
        namespace["target"] = finder.load(scenario["module"], scenario["path"])
    exec(compile(scenario["setup"], "<setup>", "exec"), namespace)
    for name, value in list(namespace.items()):
        if not name.startswith("_") and name not in ("target", "run_target") and is_plain(value):
            side.track(name, value)
    side.send({"type": "begin"}, wait=True)
    exec(compile(source, "<operation>", "exec"), namespace)
    _join_children()
    exec(compile(scenario.get("after") or "", "<after>", "exec"), namespace)
    observed = [(text, _observed(text, namespace)) for text in scenario.get("observe") or ()]
    return "; ".join(f"{text} = {value}" for text, value in observed)


def _join_children() -> None:
    """As the interpreter does at its end: wait for processes that are not daemons."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None:
        return
    for child in multiprocessing.active_children():
        if not child.daemon:
            child.join()


def _observed(text: str, namespace: dict[str, Any]) -> str:
    try:
        return text_of(Snapshot().tree(eval(text, namespace)))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
