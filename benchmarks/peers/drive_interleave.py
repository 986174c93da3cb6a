"""Runs one model under interleave-test, in an environment of its own: request and answer as in `drive_frontrun`."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import interleave_test


class TimeIsUp(BaseException):
    """The budget ended: interleave-test has none of its own."""


def main() -> None:
    request = json.loads(sys.stdin.read())
    path = Path(request["path"])
    sys.path.insert(0, str(path.parent))
    names = {"m": importlib.import_module(path.stem), "State": SimpleNamespace, "it": interleave_test}
    lines = ["def model():", f"    s = State({request['state']})"]
    if request["program"]:
        lines += [f"    {worker}" for worker in request["workers"]]
    else:
        for number, worker in enumerate(request["workers"]):
            lines += [f"    def worker_{number}():", f"        {worker}", f"    t{number} = it.spawn(worker_{number})"]
        lines += [f"    t{number}.join()" for number in range(len(request["workers"]))]
    lines.append(f"    assert {request['holds']}")
    exec(compile("\n".join(lines), "<test>", "exec"), names)
    begun, cpu = time.perf_counter(), time.process_time()
    run = 0

    def counted() -> None:
        nonlocal run
        if time.perf_counter() - begun > request["seconds"]:
            raise TimeIsUp
        run += 1
        names["model"]()

    answer = {"found": False, "trouble": ""}
    try:
        result = interleave_test.explore(counted, iterations=10**6, strategy=request["strategy"], seed=0)
        answer["found"] = not result.ok
    except (interleave_test.RaceFound, interleave_test.DeadlockError) as error:
        if "TimeIsUp" not in str(error):
            answer["found"] = True
            answer["kind"] = str(error).splitlines()[0][:200]
    except TimeIsUp:
        pass
    except Exception as error:
        answer["trouble"] = f"{type(error).__name__}: {error}"[:200]
    answer["schedules"] = run
    answer["seconds"] = time.perf_counter() - begun
    answer["cpu"] = time.process_time() - cpu
    print("\n" + json.dumps(answer))


main()
