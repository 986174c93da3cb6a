"""Runs one model under frontrun, in an environment of its own: a request as JSON on standard input, the answer as the
last line of standard output.

The request: `path` of the model, `state`, `workers`, `holds` as in `specs`, `strategy`, `seconds`, `invert` (the
invariant is taken for true, so that the search goes on).
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import frontrun


def main() -> None:
    request = json.loads(sys.stdin.read())
    path = Path(request["path"])
    sys.path.insert(0, str(path.parent))
    names = {"m": importlib.import_module(path.stem), "State": SimpleNamespace}
    exec(f"def setup():\n    return State({request['state']})", names)
    for number, worker in enumerate(request["workers"]):
        exec(f"def worker_{number}(s):\n    {worker}", names)
    exec(f"def holds(s):\n    return {request['holds']}", names)
    workers = [names[f"worker_{number}"] for number in range(len(request["workers"]))]
    options = {"max_attempts": 10**6} if request["strategy"] == "random" else {"preemption_bound": None}
    begun, cpu = time.perf_counter(), time.process_time()
    answer = {"found": False, "schedules": 0, "trouble": ""}
    try:
        result = frontrun.explore(
            names["setup"],
            workers,
            names["holds"],
            strategy=request["strategy"],
            total_timeout=request["seconds"],
            **options,
        )
        answer["schedules"] = result.num_explored
        answer["found"] = result.property_holds is False
        if result.property_holds is None:
            answer["trouble"] = f"inconclusive: {result.inconclusive_reason}"
    except Exception as error:
        answer["trouble"] = f"{type(error).__name__}: {error}"[:200]
    answer["seconds"] = time.perf_counter() - begun
    answer["cpu"] = time.process_time() - cpu
    print("\n" + json.dumps(answer))


main()
