"""One job in one child process: scratch folder, limits, deadline, and a reason for every way that it can die."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

import msgspec

import racelint.agent
from racelint.agent.forks import MARK
from racelint.confirm.interpreter import Interpreter
from racelint.confirm.leftovers import end_marked, end_session, task_count
from racelint.confirm.running import CHILDREN
from racelint.model.scenario import Answer, Job

GRACE = 12.0
"""Seconds past its budget that the agent gets to start, import the target and write its answer."""

FILE_LIMIT = 64 * 1024 * 1024
EXTRA_TASKS = 512
MESSAGE_TAIL = 4096


@dataclass(frozen=True)
class Ended:
    """How a child ended that left no answer: `status` as `Popen.returncode`, None for one that had to be killed."""

    status: int | None
    seconds: float
    messages: str


def run_job(job: Job, interpreter: Interpreter) -> Answer:
    """Run one job and answer for it, whatever the code under test does. Nothing is left behind.

    A child that dies, hangs or answers nonsense gives an `inconclusive` answer with the reason. Raises Stopped where
    it was ended because the user interrupts.
    """
    scratch = Path(tempfile.mkdtemp(prefix="racelint-"))
    mark = uuid.uuid4().hex
    try:
        ended = _run(job, interpreter, scratch, mark)
        answer = _read_answer(scratch / "answer.json")
    finally:
        end_marked(MARK, mark)
        _remove(scratch)
    if answer is None:
        return Answer("inconclusive", reason=_why(ended, job))
    # Probes are written down as they come: what ended them shows in how the process ended, or the agent says it.
    is_said = ended.status == 0 or answer.status == "unsupported"
    return answer if is_said or not job.probe else msgspec.structs.replace(answer, reason=_why(ended, job))


def _run(job: Job, interpreter: Interpreter, scratch: Path, mark: str) -> Ended:
    agent = scratch / "racelint_agent"
    shutil.copytree(Path(racelint.agent.__file__).parent, agent)
    shutil.copy(Path(__file__).with_name("launch.py"), scratch / "launch.py")
    for folder in ("work", "tmp"):
        (scratch / folder).mkdir()
    (scratch / "job.json").write_bytes(msgspec.json.encode(job))
    deadline = job.budget.seconds + GRACE
    command = [
        interpreter.path,
        str(scratch / "launch.py"),
        json.dumps(_limits(job, deadline)),
        str(agent / "__main__.py"),
        str(scratch / "job.json"),
        str(scratch / "answer.json"),
    ]
    with open(scratch / "messages.txt", "wb") as messages:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            cwd=scratch / "work",
            env=_environment(scratch, mark),
            start_new_session=True,
        )
        with CHILDREN.running(child):
            status = _wait(child, deadline)
    return Ended(status, deadline, _tail(scratch / "messages.txt"))


def _wait(child: subprocess.Popen[bytes], deadline: float) -> int | None:
    """The child's exit status, or None where the deadline came first. Its session is ended either way."""
    try:
        return child.wait(timeout=deadline)
    except subprocess.TimeoutExpired:
        return None
    finally:
        end_session(child)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=GRACE)


def _limits(job: Job, deadline: float) -> dict[str, int | None]:
    tasks = task_count()
    return {
        "memory": job.budget.memory,
        "file": FILE_LIMIT,
        "cpu": math.ceil(deadline * 2) + 1,
        "alarm": math.ceil(deadline) + 2,
        "processes": tasks + EXTRA_TASKS if tasks else None,
    }


def _environment(scratch: Path, mark: str) -> dict[str, str]:
    """Ours, so that the user's own settings hold, but repeatable and without a trace in the user's folders."""
    environment = dict(os.environ)
    for name in (
        "PYTHONSTARTUP",
        "PYTHONINSPECT",
        "PYTHONDEBUG",
        "PYTHONWARNINGS",
        "PYTHONDEVMODE",
        "COVERAGE_PROCESS_START",
    ):
        environment.pop(name, None)
    environment |= {
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONFAULTHANDLER": "1",
        "PYTHONUTF8": "1",
        "TMPDIR": str(scratch / "tmp"),
        MARK: mark,
    }
    return environment


def _read_answer(path: Path) -> Answer | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Answer)
    except (OSError, msgspec.MsgspecError):
        return None


def _tail(path: Path) -> str:
    with open(path, "rb") as messages:
        messages.seek(0, os.SEEK_END)
        messages.seek(max(0, messages.tell() - MESSAGE_TAIL))
        return messages.read().decode("utf-8", errors="replace")


def _why(ended: Ended, job: Job) -> str:
    """A sentence for a child that ended without an answer."""
    if ended.status is None or ended.status in (-getattr(signal, "SIGALRM", 0), -getattr(signal, "SIGXCPU", 0)):
        return (
            f"the run was stopped after {ended.seconds:.0f} s: the code runs or blocks where no thread can be switched "
            "(C code, input or output, or an endless loop outside the instrumented files)"
        )
    if ended.status == -getattr(signal, "SIGKILL", 9):
        return f"the process was killed, most likely for memory (the limit is {job.budget.memory // 2**20} MiB)"
    if ended.status < 0:
        return f"the interpreter crashed with {_signal_name(-ended.status)}{_last_line(ended.messages)}"
    if ended.status == 0:
        return "the code under test ended the process with `os._exit(0)` or the like before a verdict"
    if "MemoryError" in ended.messages:
        return f"the run needed more memory than the limit of {job.budget.memory // 2**20} MiB"
    return f"the process ended with status {ended.status} before a verdict{_last_line(ended.messages)}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_line(messages: str) -> str:
    lines = [line.strip() for line in messages.splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith("Fatal Python error")]
    chosen = fatal[:1] or lines[-1:]
    return f": {chosen[0][:200]}" if chosen else ""


def _remove(scratch: Path) -> None:
    """Delete the folder, also where the code under test took its own permissions away."""
    shutil.rmtree(scratch, ignore_errors=True)
    if scratch.exists():
        for folder, names, _ in os.walk(scratch):
            for name in names:
                with contextlib.suppress(OSError):
                    Path(folder, name).chmod(0o700)
        shutil.rmtree(scratch, ignore_errors=True)
