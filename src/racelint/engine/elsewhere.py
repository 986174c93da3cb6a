"""What runs on the workers of a cluster: bytes in, bytes out, so that nothing but racelint has to agree."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import msgspec

import racelint
from racelint.engine.fingerprint import fingerprint
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.worker import Request, answer

_ALONE = threading.Lock()
"""Of the tasks of one worker, one at a time changes the limit of recursion; they share one interpreter anyway."""
_BOOT = "import sys; sys.path[:0] = [sys.argv[1]]; from racelint.engine.elsewhere import main; main()"


def summarized(batch: bytes) -> bytes:
    """Replies to a list of requests, with the name of the racelint that they come from."""
    requests = msgspec.msgpack.decode(batch, type=list[Request])
    with _ALONE:
        replies = call_with_deep_stack(lambda: [answer(request) for request in requests])
    return msgspec.msgpack.encode((fingerprint(), replies))


def confirmed(task: bytes, folder: str) -> bytes:
    """The verdict on a finding or a target, worked out by a process in `folder`: all tasks of a worker share its own.

    Raises OSError where the folder is not there, RuntimeError with the process's last words where it failed.
    """
    command = [sys.executable, "-P", "-c", _BOOT, str(Path(racelint.__file__).parent.parent)]
    done = subprocess.run(command, input=task, capture_output=True, cwd=folder, check=False)
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise RuntimeError(words[-1] if words else f"exit code {done.returncode}")
    return done.stdout


def main() -> None:
    """Entry point of that process: the task on standard input; the verdict, or why there is none, on the output."""
    from racelint.confirm import CannotRun, Limits, confirm_finding, confirm_target
    from racelint.model.finding import Finding

    asked, limits, root = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=tuple[Finding | str, Limits, str])
    verdict, problem = None, ""
    try:
        if isinstance(asked, str):
            [result] = confirm_target(asked, (), limits, Path(root))
            verdict = result.verdict
        else:
            verdict = confirm_finding(asked, limits, Path(root))
    except CannotRun as error:
        problem = str(error)
    sys.stdout.buffer.write(msgspec.msgpack.encode((verdict, problem)))
