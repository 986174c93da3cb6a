"""The code flows of a SARIF result: how the threads come to the conflict, and the interleaving that was shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from racelint.model.finding import Finding, Step, Witness
from racelint.report.sarif_location import location


def flows_of(finding: Finding) -> list[dict[str, Any]]:
    """One flow for the trace, one for the witness: in each a thread flow for each thread, whose `executionOrder`
    gives the order across threads where one was seen.
    """
    witness = finding.verdict.witness if finding.verdict is not None else None
    flows = []
    if witness is not None:
        flows.append(_witnessed(witness))
    if finding.trace:
        flows.append(_traced(finding.trace))
    return flows


def _witnessed(witness: Witness) -> dict[str, Any]:
    lanes: list[list[dict[str, Any]]] = [[] for _ in witness.threads]
    for order, step in enumerate(witness.steps, 1):
        text = step.action or step.source
        lanes[step.thread].append(_place(step.path, step.line, 1, text, order))
    threads = [
        {"id": name, "message": {"text": f"thread {name}"}, "locations": lane}
        for name, lane in zip(witness.threads, lanes, strict=True)
        if lane
    ]
    return {"message": {"text": "the interleaving that goes wrong"}, "threadFlows": threads}


def _traced(trace: Sequence[Step]) -> dict[str, Any]:
    threads = [
        {
            "id": f"thread {number}",
            "message": {"text": steps[0].message},
            "locations": [_place(step.path, step.line, step.column, _said(step)) for step in steps],
        }
        for number, steps in enumerate(_by_thread(trace), 1)
    ]
    return {"message": {"text": "how the threads come to the conflict"}, "threadFlows": threads}


def _by_thread(trace: Sequence[Step]) -> Iterator[list[Step]]:
    """The steps up to the last access of the finding itself, and the rest, which is the other thread's."""
    own = [position for position, step in enumerate(trace) if step.role == "access"]
    if not own or not any(step.role == "conflict" for step in trace[own[-1] + 1 :]):
        yield list(trace)
        return
    yield list(trace[: own[-1] + 1])
    yield list(trace[own[-1] + 1 :])


def _said(step: Step) -> str:
    if step.role not in ("access", "conflict"):
        return step.message
    return f"{step.message}, holding {', '.join(step.lockset) or 'no lock'}"


def _place(path: str, line: int, column: int, text: str, order: int | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"location": location(path, line, column, message=text), "importance": "essential"}
    return found if order is None else found | {"executionOrder": order}
