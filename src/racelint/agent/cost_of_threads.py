"""RL402: threads for pure computation against one process for each, measured."""

from __future__ import annotations

import os
import sys
import time
import types
from typing import Any

from .answer import Answer, answer_of
from .measuring import ROUNDS, everywhere, fresh, in_child, spoken_seconds

WORTH_PROCESSES = 1.15

LEAST_WORK = 0.02
"""Seconds of work for each thread below which starting them is all that there is to measure."""


def measure_threads(job: dict[str, Any]) -> Answer:
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
            answer = in_child(scenario, lambda way=way: _workers(scenario, code, way, cores), limit)  # type: ignore[misc]
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
    if threads < LEAST_WORK * started:
        reason = f"{started} threads take {spoken_seconds(threads)}: too little to be compared"
        return answer_of(status="inconclusive", reason=reason, schedules_run=2 * ROUNDS)
    ratio = threads / max(processes, 1e-9)
    spoken = f"{started} threads take {ratio:.1f}x the time of {started} processes"
    times = f"{spoken_seconds(threads)} against {spoken_seconds(processes)} of CPU time"
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
        interpreters={**everywhere(), "free-threaded": "impossible"},
    )


def _workers(scenario: dict[str, Any], code: Any, way: str, cores: int) -> dict[str, float]:
    """Run the operation with threads as they are, or with each thread replaced by a forked process.

    `seconds` is CPU time along the longest path, so that other work on the machine does not count: for threads what
    they used together (or the time that passed, where they ran side by side with the GIL released), for processes
    what the first one used and then the longest of the others, or their fair share of the cores.
    """
    workers = ThreadWorkers() if way == "threads" else ProcessWorkers()
    namespace = fresh(scenario, code)
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

        _keep_threads_of_the_library(threading)
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


def _keep_threads_of_the_library(threading: Any) -> None:
    """What processes are made of starts threads itself."""
    own = types.ModuleType("threading")
    own.__dict__.update(vars(threading))
    for name, module in list(sys.modules.items()):
        if name.startswith(("multiprocessing", "concurrent")) and getattr(module, "threading", None) is threading:
            vars(module)["threading"] = own
