"""Measures what the rules about cost claim: a lock at every turn against one critical section (RL401), and threads
against processes for pure computation (RL402). On the real primitives, each measurement in a process of its own.
"""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
import ast
import contextlib
import copy
import json
import os
import select
import signal
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from .answer import Answer, answer_of
from .capture import Capture, silence
from .carriers import ThreadCarrier
from .control import Control
from .hoist import NothingToHoist, hoisted
from .subject import search_path

ROUNDS = 5
WORTH_LOCKING = 1.2
WORTH_PROCESSES = 1.15
MEASURED = 0.05
"""Seconds of work that one measurement should take, so that the clock and the start-up do not matter."""
PROBE_LIMIT = 1.0
ATTEMPT_LIMIT = 8.0
TURNS = (4, 20, 200, 2_000, 20_000, 200_000)


def run_cost(job: dict[str, Any]) -> Answer:
    """Answer a job of kind `cost`."""
    if not hasattr(os, "fork"):
        return answer_of(status="unsupported", reason="costs are measured on POSIX systems only")
    code = job["scenario"].get("code") or ""
    try:
        return _locking(job) if code != "RL402" else _threads(job)
    except (SyntaxError, OSError) as error:
        return answer_of(status="unsupported", reason=f"cannot compile: {error}")


# RL401


def _locking(job: dict[str, Any]) -> Answer:
    scenario = job["scenario"]
    with open(scenario["path"], "rb") as file:
        tree = ast.parse(file.read())
    lines = {flag["line"] for flag in scenario["flagged"] if os.path.realpath(flag["path"]) == _real(scenario)}
    try:
        outside = hoisted(tree, lines)
    except NothingToHoist:
        return answer_of(status="unsupported", reason="no loop there takes and releases one lock at every turn")
    deadline = time.monotonic() + job["budget"]["seconds"]
    turns = 0
    for more in TURNS:
        seconds = _once(scenario, _limited(tree, more), min(PROBE_LIMIT, deadline - time.monotonic()))
        if isinstance(seconds, str):
            return answer_of(status="unsupported", reason=seconds)
        if seconds is None:
            break
        turns = more
        if seconds > MEASURED:
            break
    measured = _pair(scenario, _limited(tree, turns), _limited(outside, turns), deadline) if turns else None
    if measured is None:
        return answer_of(status="inconclusive", reason="the operation does not end by itself, so it was not measured")
    if isinstance(measured, str):
        return answer_of(status="unsupported", reason=measured)
    return _ratio_of_locks(*measured, turns)


def _ratio_of_locks(per_turn: float, once: float, turns: int) -> Answer:
    ratio = per_turn / max(once, 1e-9)
    spoken = f"per-turn locking takes {ratio:.1f}x the time of one critical section"
    note = f"loops of up to {turns} turns, the best of {ROUNDS} rounds: {_seconds(per_turn)} against {_seconds(once)}"
    expected = ["one critical section around the loop takes as long as a lock at every turn"]
    if ratio < WORTH_LOCKING:
        return answer_of(status="not-reproduced", outcome=spoken, schedules_run=2 * ROUNDS, reason=note)
    return answer_of(
        status="confirmed",
        effect="cost",
        outcome=spoken,
        expected=expected,
        schedules_run=2 * ROUNDS,
        reason=note,
        interpreters=_everywhere(),
    )


def _everywhere() -> dict[str, str]:
    return {"gil-3.9": "modelled", "gil-3.10+": "observed", "free-threaded": "modelled"}


def _once(scenario: dict[str, Any], code: Any, limit: float) -> float | str | None:
    """Seconds of one execution; a text if it fails, None if it takes longer than `limit`."""

    def work() -> dict[str, float]:
        namespace = _fresh(scenario, code)
        started = time.perf_counter()
        exec(scenario["operations"][0]["source"], namespace)
        return {"seconds": time.perf_counter() - started}

    answer = _in_child(scenario, work, max(0.1, limit))
    if answer is None:
        return None
    return str(answer["error"]) if "error" in answer else float(answer["seconds"])


def _pair(scenario: dict[str, Any], first: Any, second: Any, deadline: float) -> tuple[float, float] | str | None:
    """The best times of both versions, taken in turns; a text if they fail, None if they do not end in time."""

    def work() -> dict[str, float]:
        best = [float("inf"), float("inf")]
        for _ in range(ROUNDS):
            for index, code in enumerate((first, second)):
                best[index] = min(best[index], _timed(scenario, code))
        return {"first": best[0], "second": best[1]}

    limit = min(ATTEMPT_LIMIT, max(0.5, deadline - time.monotonic()))
    answer = _in_child(scenario, work, limit)
    if answer is None or "error" in answer:
        return answer["error"] if answer else None
    return answer["first"], answer["second"]


def _timed(scenario: dict[str, Any], code: Any) -> float:
    """Seconds of one execution of the operation on a fresh set-up; short ones are repeated to be measurable."""
    total, count = 0.0, 0
    while total < MEASURED and count < 2_000:
        namespace = _fresh(scenario, code)
        operation = compile(scenario["operations"][0]["source"], "<operation>", "exec")
        started = time.perf_counter()
        exec(operation, namespace)
        total += time.perf_counter() - started
        count += 1
    return total / count


def _fresh(scenario: dict[str, Any], code: Any) -> dict[str, Any]:
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


def _real(scenario: dict[str, Any]) -> str:
    return os.path.realpath(str(scenario["path"]))


class _Limiter(ast.NodeTransformer):
    """Cuts long constant counts, so that a measurement takes a moment and not minutes."""

    def __init__(self, turns: int) -> None:
        self.turns = turns

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        loop = node.iter
        if isinstance(loop, ast.Call) and isinstance(loop.func, ast.Name) and loop.func.id == "range":
            limit = ast.Slice(None, ast.Constant(self.turns), None)
            node.iter = ast.copy_location(ast.Subscript(loop, limit, ast.Load()), loop)
        return node


def _limited(tree: ast.Module, turns: int) -> Any:
    changed = ast.fix_missing_locations(_Limiter(turns).visit(copy.deepcopy(tree)))
    return compile(changed, "<measured>", "exec", dont_inherit=True)


# RL402


def _threads(job: dict[str, Any]) -> Answer:
    scenario = job["scenario"]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if cores < 2:
        return answer_of(status="unsupported", reason="one core: threads and processes cost the same here")
    with open(scenario["path"], "rb") as file:
        code = compile(file.read(), scenario["path"], "exec", dont_inherit=True)
    best = {"threads": float("inf"), "processes": float("inf")}
    started = 0
    deadline = time.monotonic() + job["budget"]["seconds"]
    limit = max(1.0, job["budget"]["seconds"] / 2)
    for _ in range(ROUNDS):
        for way in best:
            answer = _in_child(scenario, lambda way=way: _workers(scenario, code, way, cores), limit)  # type: ignore[misc]
            if answer is None:
                return answer_of(status="inconclusive", reason=f"it does not end within {limit:.0f} s")
            if "error" in answer:
                return answer_of(status="unsupported", reason=answer["error"])
            best[way] = min(best[way], answer["seconds"])
            started = max(started, answer["started"])
        if time.monotonic() > deadline:
            break
    return _ratio_of_workers(best["threads"], best["processes"], started, cores)


def _ratio_of_workers(threads: float, processes: float, started: int, cores: int) -> Answer:
    if started < 2:
        return answer_of(status="unsupported", reason="it starts fewer than two threads")
    ratio = threads / max(processes, 1e-9)
    spoken = f"{started} threads take {ratio:.1f}x the time of {started} processes"
    times = f"{_seconds(threads)} against {_seconds(processes)} of CPU time"
    note = f"{times} on {cores} cores, the best of {ROUNDS} rounds"
    if ratio < WORTH_PROCESSES:
        return answer_of(status="not-reproduced", outcome=spoken, reason=note, schedules_run=2 * ROUNDS)
    return answer_of(
        status="confirmed",
        effect="cost",
        outcome=spoken,
        expected=[f"{started} threads take as long as {started} processes"],
        schedules_run=2 * ROUNDS,
        reason=note,
        interpreters={**_everywhere(), "free-threaded": "impossible"},
    )


def _workers(scenario: dict[str, Any], code: Any, way: str, cores: int) -> dict[str, float]:
    """Run the operation with threads as they are, or with each thread replaced by a forked process.

    `seconds` is CPU time along the longest path, so that other work on the machine does not count: for threads what
    they used together (or the time that passed, where they ran side by side with the GIL released), for processes
    what the first one used and then the longest of the others, or their fair share of the cores.
    """
    workers = ThreadWorkers() if way == "threads" else ProcessWorkers()
    namespace = _fresh(scenario, code)
    operation = compile(scenario["operations"][0]["source"], "<operation>", "exec")
    begun, used = time.perf_counter(), time.process_time()
    exec(operation, namespace)
    workers.join()
    passed, own = time.perf_counter() - begun, time.process_time() - used
    return {"seconds": workers.longest_path(passed, own, cores), "started": workers.count()}


class ThreadWorkers:
    """Counts the threads that the target starts."""

    def __init__(self) -> None:
        import threading

        self.started: list[Any] = []
        original, started = threading.Thread.start, self.started

        def start(thread: threading.Thread) -> None:
            original(thread)
            started.append(thread)

        vars(threading)["Thread"].start = start

    def join(self) -> None:
        for worker in self.started:
            worker.join()

    def count(self) -> int:
        return len(self.started)

    def longest_path(self, passed: float, own: float, cores: int) -> float:
        return min(passed, own)


class ProcessWorkers:
    """Puts forked processes where the target's threads and thread pools are."""

    def __init__(self) -> None:
        import concurrent.futures
        import multiprocessing
        import threading

        context: Any = multiprocessing.get_context("fork")
        self.times = context.SimpleQueue()
        self.started: list[Any] = []
        self.pools: list[int] = []
        started, times, pools = self.started, self.times, self.pools

        class Worker(context.Process):  # type: ignore[misc]
            def __init__(self, group: Any = None, *args: Any, **kwargs: Any) -> None:
                super().__init__(None, *args, **{**kwargs, "kwargs": kwargs.get("kwargs") or {}})

            def start(self) -> None:
                super().start()
                started.append(self)

            def _bootstrap(self, *args: Any, **kwargs: Any) -> Any:
                used = time.process_time()
                try:
                    return super()._bootstrap(*args, **kwargs)
                finally:
                    times.put(time.process_time() - used)

        class Pool(concurrent.futures.ProcessPoolExecutor):
            def __init__(self, max_workers: int | None = None, *_args: Any, **_kwargs: Any) -> None:
                super().__init__(max_workers, mp_context=context)
                pools.append(max_workers or os.cpu_count() or 1)

        threading.Thread = Worker  # type: ignore[misc]
        concurrent.futures.ThreadPoolExecutor = Pool  # type: ignore[misc, assignment]

    def join(self) -> None:
        for worker in self.started:
            worker.join()

    def count(self) -> int:
        return max([len(self.started), *self.pools])

    def longest_path(self, passed: float, own: float, cores: int) -> float:
        import resource

        times = [self.times.get() for _ in self.started]
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        total = max(sum(times), children.ru_utime + children.ru_stime)
        return float(own + max([total / min(cores, max(1, self.count())), *times]))


# Children


def _in_child(scenario: dict[str, Any], work: Callable[[], dict[str, Any]], limit: float) -> dict[str, Any] | None:
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
        silence(Capture(Control(ThreadCarrier())))
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


def _seconds(value: float) -> str:
    if value < 1e-3:
        return f"{value * 1e6:.0f} µs"
    return f"{value * 1e3:.0f} ms" if value < 1 else f"{value:.2f} s"
