"""RL401: a lock at every turn against one critical section around the loop, measured."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
import ast
import copy
import os
import time
from typing import Any

from .answer import Answer, answer_of
from .hoist import NothingToHoist, hoisted
from .measuring import ROUNDS, everywhere, fresh, in_child, spoken_seconds

WORTH_LOCKING = 1.2
PROBE_LIMIT = 1.0


ATTEMPT_LIMIT = 8.0
TURNS = (4, 20, 200, 2_000, 20_000, 200_000)


MEASURED = 0.05
"""Seconds of work that one measurement should take, so that the clock and the start-up do not matter."""


def measure_locks(job: dict[str, Any]) -> Answer:
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
    times = f"{spoken_seconds(per_turn)} against {spoken_seconds(once)}"
    note = f"loops of up to {turns} turns, the best of {ROUNDS} rounds: {times}"
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
        interpreters=everywhere(),
    )


def _once(scenario: dict[str, Any], code: Any, limit: float) -> float | str | None:
    """Seconds of one execution; a text if it fails, None if it takes longer than `limit`."""

    def work() -> dict[str, float]:
        namespace = fresh(scenario, code)
        started = time.perf_counter()
        exec(scenario["operations"][0]["source"], namespace)
        return {"seconds": time.perf_counter() - started}

    answer = in_child(scenario, work, max(0.1, limit))
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
    answer = in_child(scenario, work, limit)
    if answer is None or "error" in answer:
        return answer["error"] if answer else None
    return answer["first"], answer["second"]


def _timed(scenario: dict[str, Any], code: Any) -> float:
    """Seconds of one execution of the operation on a fresh set-up; short ones are repeated to be measurable."""
    total, count = 0.0, 0
    while total < MEASURED and count < 2_000:
        namespace = fresh(scenario, code)
        operation = compile(scenario["operations"][0]["source"], "<operation>", "exec")
        started = time.perf_counter()
        exec(operation, namespace)
        total += time.perf_counter() - started
        count += 1
    return total / count


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
