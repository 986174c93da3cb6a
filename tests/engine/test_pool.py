"""Worker processes: order, isolation of crashes, and depth."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from racelint.engine import pool
from racelint.engine.pool import summarize_all
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.worker import Reply, Request, answer
from racelint.engine.workforce import WorkerError, workers_for
from racelint.model.summary import ModuleSummary


def test_replies_come_in_the_order_of_the_requests_whatever_the_jobs() -> None:
    sources = [f"def f{n}(): pass\n".encode() * (n + 1) for n in range(12)]
    requests = [Request(f"{n}.py", source, False) for n, source in enumerate(sources)]
    one, three = summarize_all(requests, 1), summarize_all(requests, 3)
    assert one == three
    lines = [msgspec.msgpack.decode(reply.summary, type=ModuleSummary).lines for reply in one]
    assert lines == [n + 2 for n in range(12)]


def crash_over(display: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the worker die as a native crash would, on requests for `display` alone."""
    boot = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import signal; from racelint.engine import worker;"
        "answer = worker.answer;"
        f"worker.answer = lambda r: signal.raise_signal(signal.SIGSEGV) if r.display == {display!r} else answer(r);"
        "worker.main()"
    )
    monkeypatch.setattr(pool, "_BOOT", boot)


def test_a_reply_made_here_holds_the_very_summary_that_is_handed_over() -> None:
    reply = answer(Request("f.py", b"def f(a=[]):\n    with a[0]:\n        a.n += 1\n", False))
    assert reply.decoded == Reply(reply.summary).decoded


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_crash_costs_one_file(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    crash_over("3.py", monkeypatch)
    requests = [Request(f"{n}.py", b"x = 1\n", False) for n in range(8)]
    replies = summarize_all(requests, jobs)
    assert [n for n, reply in enumerate(replies) if not reply.summary] == [3]
    assert replies[3].unreadable == ("the parser crashed on this file (SIGSEGV)", 1, 1)


def test_a_worker_that_cannot_start_is_an_error_not_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "_BOOT", "raise SystemExit('no such thing')")
    with pytest.raises(WorkerError, match=r"did not start \(exit code 1\): no such thing"):
        summarize_all([Request("a.py", b"", False)], 1)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(WorkerError, match="cannot start /nonexistent/python"):
        summarize_all([Request("a.py", b"", False)], 1)


def test_the_working_directory_is_not_imported_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("msgspec", "libcst", "tokenize", "queue"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('scanned code was run')\n")
    monkeypatch.chdir(tmp_path)
    assert summarize_all([Request("a.py", b"x = 1\n", False)])[0].summary


DEEP: dict[str, Callable[[int], str]] = {
    "operators": lambda n: "x = " + " + ".join(["a"] * n),
    "not": lambda n: "x = " + "not " * n + "a",
    "minus": lambda n: "x = " + "-" * n + "1",
    "attributes": lambda n: "x = a" + ".b" * n,
    "calls": lambda n: "x = a" + "()" * n,
    "comparisons": lambda n: "x = " + " < ".join(["a"] * n),
    "booleans": lambda n: "x = " + " and ".join(["a"] * n),
    "conditional": lambda n: "x = " + "a if b else " * n + "c",
    "lambda": lambda n: "x = " + "lambda: " * n + "c",
    "elif": lambda n: "if a:\n    pass\n" + "elif a:\n    pass\n" * n,
    "power": lambda n: "x = " + "**".join(["a"] * n),
    "strings": lambda n: "x = " + " ".join(["'a'"] * n),
}


@pytest.mark.parametrize("shape", DEEP)
def test_what_python_accepts_is_summarized_however_long_its_chains(shape: str) -> None:
    length = 3000 if shape in ("operators", "not", "attributes") else 1000
    source = f"import threading\n{DEEP[shape](length)}\n".encode()
    (reply,) = summarize_all([Request("deep.py", source, False)], 1)
    assert reply.summary if _is_accepted(source) else reply.unreadable, reply


def _is_accepted(source: bytes) -> bool:
    """Python 3.12 builds no tree from chains of more than some 2,000 links, whatever the stack."""
    try:
        call_with_deep_stack(lambda: ast.parse(source))
    except RecursionError:
        return False
    return True


@pytest.mark.parametrize("bracket", ["()", "[]", "{}"])
def test_nested_brackets_are_unreadable_and_do_not_kill(bracket: str) -> None:
    source = f"x = {bracket[0] * 3000}{bracket[1] * 3000}\n".encode()
    requests = [Request("deep.py", source, False), Request("fine.py", b"x = 1\n", False)]
    deep, fine = summarize_all(requests, 1)
    assert deep.unreadable is not None
    assert "nested" in deep.unreadable[0]
    assert fine.summary


def test_workers_follow_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert [workers_for(files, None) for files in (1, 49, 100, 225, 5000)] == [1, 1, 2, 4, 8]
    assert workers_for(3, 16) == 3
    assert workers_for(300, 2) == 2
    assert workers_for(5000, 999) == 32  # more would take memory and no time off


def test_no_place_for_temporary_files_is_none_for_complaints(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    assert summarize_all([Request("a.py", b"x = 1\n", False)], 1)[0].summary
    monkeypatch.setattr(pool, "_BOOT", "raise SystemExit('no such thing')")
    with pytest.raises(WorkerError, match=r"did not start \(exit code 1\): no message"):
        summarize_all([Request("a.py", b"", False)], 1)


def test_an_interrupt_of_the_parent_leaves_no_worker_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    boot = (
        "import sys; sys.path[:0] = [sys.argv[1]]; import os;"
        f"open({str(pid_file)!r}, 'w').write(str(os.getpid()));"
        "from racelint.engine import worker; worker.main()"
    )
    script = (
        "from racelint.engine import pool; from racelint.engine.worker import Request\n"
        f"pool._BOOT = {boot!r}\n"
        "pool.summarize_all([Request(f'{n}.py', b'x = 1\\n' * 20000, False) for n in range(100)], 1)\n"
    )
    # a test run in the background of a shell has interrupts ignored, and children inherit that
    listen = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    parent = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, preexec_fn=listen)
    deadline = time.monotonic() + 30
    while not (pid_file.exists() and pid_file.read_text()):
        assert time.monotonic() < deadline, "the worker did not start"
        time.sleep(0.02)
    worker = int(pid_file.read_text())
    parent.send_signal(signal.SIGINT)
    _, complaint = parent.communicate(timeout=30)
    assert b"KeyboardInterrupt" in complaint
    while _alive(worker):
        assert time.monotonic() < deadline, "the worker lives on"
        time.sleep(0.02)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().split()[2] == "Z")


def test_a_deep_stack_gives_results_and_raises_errors_here() -> None:
    def depth(n: int) -> int:
        return 0 if n == 0 else 1 + depth(n - 1)

    before = threading.stack_size(), sys.getrecursionlimit()
    assert call_with_deep_stack(lambda: depth(50_000)) == 50_000
    with pytest.raises(KeyError, match="gone"):
        call_with_deep_stack(lambda: {}["gone"])
    assert (threading.stack_size(), sys.getrecursionlimit()) == before


def test_deep_stacks_in_each_other_and_beside_each_other_leave_the_process_as_it_was() -> None:
    before = threading.stack_size(), sys.getrecursionlimit()
    for _ in range(50):
        assert call_with_deep_stack(lambda: call_with_deep_stack(lambda: 7)) == 7
    threads = [threading.Thread(target=call_with_deep_stack, args=(lambda: 7,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (threading.stack_size(), sys.getrecursionlimit()) == before
