"""Read a job, run it, write the answer."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH105
import gc
import json
import os
import sys
import time
from typing import Any

from . import shim
from .answer import Answer, answer_of
from .capture import Capture, nothing, silence
from .carriers import best_carrier
from .control import Control
from .loader import InstrumentingFinder
from .probe import Prober
from .replay import Nondeterminism
from .search import Search
from .subject import Subject, SubjectError, search_path
from .watchdog import Watchdog

PROTOCOL = 1


def main(arguments: list[str]) -> int:
    """`job.json answer.json`; 0 if an answer was written, 2 for a wrong call."""
    if len(arguments) != 2:
        sys.stderr.write("usage: racelint_agent job.json answer.json\n")
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        job = json.load(file)
    answer = run_job(job, arguments[1])
    write_answer(answer, arguments[1])
    # Not the interpreter's own exit: its handlers would meet our `threading` and the threads of the target.
    os._exit(0)


def write_answer(answer: Answer, path: str) -> None:
    """Write it whole or not at all."""
    scratch = f"{path}.part"
    with open(scratch, "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os.replace(scratch, path)


def run_job(job: dict[str, Any], path: str) -> Answer:
    started = time.perf_counter()
    if job.get("protocol", PROTOCOL) != PROTOCOL:
        return answer_of(status="unsupported", reason=f"the agent speaks protocol {PROTOCOL}, not {job['protocol']}")
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 3000))
    kind = job["scenario"]["kind"]
    if kind == "processes":
        from .processes import run_processes

        answer = run_processes(job)
    elif kind == "cost":
        from .cost import run_cost

        answer = run_cost(job)
    else:
        answer = run_threads(job, path)
    answer["seconds"] = round(time.perf_counter() - started, 3)
    return answer


def run_probes(prober: Prober) -> Answer:
    """The serial orders of several scenarios; one that blocks for real ends it with what is known by then."""
    silence(Capture(nothing))
    watchdog = Watchdog(prober.control, prober.job, lambda answer: prober.write(prober.answer(answer["reason"])))
    watchdog.start()
    return prober.run(watchdog)


def run_threads(job: dict[str, Any], path: str) -> Answer:
    """The kinds `threads` and `program`: a search under control, or the replay of a schedule."""
    from .verdict import replay_job, search_job

    scenario = job["scenario"]
    clock = time.perf_counter
    search_path(scenario)
    finder = InstrumentingFinder([scenario["path"], *scenario["instrument"]], sys.path[: len(scenario["sys_path"])])
    finder.always_fresh = bool(job.get("fresh"))
    control = Control(best_carrier(os.environ.get("RACELINT_CARRIER", "")))
    control.step_limit = job["budget"]["steps"]
    sys.meta_path.insert(0, finder)
    watchdog = Watchdog(control, job, lambda answer: write_answer(answer, path))
    shim.install(control)
    gc.disable()
    if job.get("probe"):
        return run_probes(Prober(job, control, finder, lambda answer: write_answer(answer, path)))
    try:
        subject = Subject(scenario, control, finder)
        silence(subject.capture)
        watchdog.start()
        search = Search(subject, control, finder, job, clock)
        watchdog.search = search
        return replay_job(search, job) if job.get("schedule") else search_job(search)
    except SubjectError as error:
        return answer_of(status="unsupported", reason=str(error))
    except SyntaxError as error:
        return answer_of(status="unsupported", reason=f"cannot compile: {error}")
    except Nondeterminism as error:
        return answer_of(status="inconclusive", reason=f"two runs of one schedule differ in: {error}")
