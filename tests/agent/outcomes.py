"""Every outcome of a scenario up to a preemption bound, with and without reduction: run as a script, prints JSON.

python outcomes.py AGENT_FOLDER JOB BOUND
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

MOST = 3000


def load(folder: str) -> None:
    spec = importlib.util.spec_from_file_location(
        "racelint_agent", f"{folder}/__init__.py", submodule_search_locations=[folder]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["racelint_agent"] = package
    spec.loader.exec_module(package)


def part(name: str) -> ModuleType:
    return importlib.import_module(f"racelint_agent.{name}")


def prepared(job: dict[str, Any]) -> Any:
    scenario = job["scenario"]
    part("subject").search_path(scenario)
    finder = part("loader").InstrumentingFinder([scenario["path"]], sys.path[:1])
    sys.meta_path.insert(0, finder)
    control = part("control").Control(part("carriers").best_carrier())
    part("shim").install(control)
    subject = part("subject").Subject(scenario, control, finder)
    part("capture").silence(subject.capture)
    search = part("search").Search(subject, control, finder, job, time.perf_counter)
    search.serial()
    return search


def explore(search: Any, order: Any, bound: int) -> tuple[list[str], bool]:
    """The outcomes as text, sorted, and whether all schedules were run."""
    frontier = part("strategies.bounded").Frontier(order)
    known = part("known").Known(order) if order is not None else None
    marks = part("points").fast(search.control, search.hot, search.counts)
    outcomes: dict[Any, str] = {}
    run = 0
    for preemptions in range(bound + 1):
        for plan in frontier.plans(preemptions):
            policy = part("policies").PlanPolicy(plan)
            outcome = search.subject.execute(policy, marks, known=known)
            outcomes[outcome.key] = outcome.text()
            frontier.extend(plan, policy.trail, search.control.events)
            run += 1
            if run > MOST:
                return sorted(outcomes.values()), False
    return sorted(outcomes.values()), True


def main() -> None:
    printed = os.dup(1)
    load(sys.argv[1])
    job = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    search = prepared(job)
    answers = [explore(search, order, int(sys.argv[3])) for order in (None, part("order").Order(search.table))]
    os.write(printed, json.dumps(answers).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
