"""Read a job, run it, write the answer."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH105
import json
import os
import sys
import time
from typing import Any

from .answer import Answer, answer_of
from .forks import Forks

PROTOCOL = 1


def main(arguments: list[str]) -> int:
    """`job.json answer.json`; 0 if an answer was written, 2 for a wrong call."""
    if len(arguments) != 2:
        sys.stderr.write("usage: racelint_agent job.json answer.json\n")
        return 2
    with open(arguments[0], encoding="utf-8") as file:
        job = json.load(file)
    del sys.argv[1:]  # what the target finds there is its own
    started = time.perf_counter()

    def write(answer: Answer) -> None:
        answer["seconds"] = round(time.perf_counter() - started, 3)
        write_answer(answer, arguments[1])

    def deliver(answer: Answer) -> None:
        write(answer)
        # Not the interpreter's own exit: its handlers would meet our `threading` and the threads of the target.
        os._exit(0)

    try:
        answer = run_job(job, deliver, write)
    except Exception as error:
        # Else its text would be lost with the streams of the target.
        reason = f"the agent itself failed: {type(error).__name__}: {error}".rstrip(": ")
        answer = answer_of("inconclusive", reason=reason)
    deliver(answer)
    return 0


def write_answer(answer: Answer, path: str) -> None:
    """Write it whole or not at all."""
    scratch = f"{path}.{os.getpid()}.part"
    with open(scratch, "w", encoding="utf-8") as file:
        json.dump(answer, file)
    os.replace(scratch, path)


def run_job(job: dict[str, Any], deliver: Any, write: Any) -> Answer:
    """The answer, unless it is delivered from within."""
    if job.get("protocol", PROTOCOL) != PROTOCOL:
        return answer_of(status="unsupported", reason=f"the agent speaks protocol {PROTOCOL}, not {job['protocol']}")
    if hasattr(os, "fork"):
        Forks(write)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 3000))
    kind = job["scenario"]["kind"]
    if kind in ("processes", "cost") and job["scenario"].get("invariant"):
        reason = "an invariant is asked of the one state that threads share: there is none here"
        return answer_of(status="unsupported", reason=reason)
    if kind == "processes":
        from .processes import run_processes

        return run_processes(job, deliver)
    if kind == "cost":
        from .cost import run_cost

        return run_cost(job)
    from .bench import Bench

    return Bench(job, deliver, write).answer()
