"""Schedules a second of the agent on one scenario, in this process; run by `confirm_bench` in a process of its own.

    python agent_speed.py MODEL SETUP WORKER... --carrier greenlet|threads --mode search|oracle --seconds N

`search` runs random schedules as the tail of a search does: an execution whose plan or happens-before order is known
is not looked at again. `oracle` looks at each one: results, exceptions, and a snapshot of all state. Prints one JSON
object.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

AGENT = Path(__file__).resolve().parent.parent / "src" / "racelint" / "agent"
BATCH = 200


def load(folder: Path) -> None:
    """The agent as the package that it is in a target's process."""
    spec = importlib.util.spec_from_file_location(
        "racelint_agent", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["racelint_agent"] = package
    spec.loader.exec_module(package)


def part(name: str) -> Any:
    return importlib.import_module(f"racelint_agent.{name}")


def prepared(options: argparse.Namespace) -> Any:
    path = Path(options.model).resolve()
    scenario = {
        "kind": "threads",
        "module": path.stem,
        "path": str(path),
        "sys_path": [str(path.parent)],
        "setup": options.setup,
        "operations": [{"label": worker, "source": worker} for worker in options.workers],
    }
    budget = {"seconds": 1e9, "schedules": 10**9, "steps": 20_000, "bound": 4, "seed": 0, "memory": 0}
    part("subject").search_path(scenario)
    finder = part("loader").InstrumentingFinder([str(path)], sys.path[:1])
    sys.meta_path.insert(0, finder)
    control = part("control").Control(part("carriers").best_carrier(options.carrier))
    part("shim").install(control)
    gc.disable()
    subject = part("subject").Subject(scenario, control, finder)
    part("capture").silence(subject.capture)
    search = part("search").Search(subject, control, finder, {"scenario": scenario, "budget": budget}, time.monotonic)
    search.serial()
    return search


def measure(search: Any, options: argparse.Namespace, clock: Any) -> dict[str, float]:
    policies = part("policies")
    policy = policies.RandomPolicy(policies.Random(0), policies.RandomPolicy.weights(search.events))
    known = search.known if options.mode == "search" else None
    for _ in range(BATCH):
        policy.restart()
        search.run_fast(policy, known)
    run, begun, cpu = 0, clock(), time.process_time()
    while clock() - begun < options.seconds:
        for _ in range(BATCH):
            policy.restart()
            outcome = search.run_fast(policy, known)
            search.baseline.knows(outcome)
        run += BATCH
    return {"schedules": run, "seconds": clock() - begun, "cpu": time.process_time() - cpu}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("setup", help="statements; `target` is the module of the model")
    parser.add_argument("workers", nargs="+")
    parser.add_argument("--carrier", choices=["greenlet", "threads"], default="greenlet")
    parser.add_argument("--mode", choices=["search", "oracle"], default="search")
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    printed, clock = os.dup(1), time.perf_counter
    load(AGENT)
    search = prepared(options)
    os.write(printed, json.dumps(measure(search, options, clock)).encode())
    os._exit(0)


if __name__ == "__main__":
    main()
