"""Runs first in the child: sets the limits, then becomes the agent. Standard library only, CPython 3.10 and later.

    python launch.py LIMITS AGENT JOB ANSWER

LIMITS is a JSON object: `memory` and `file` in bytes, `cpu` and `alarm` in seconds, `processes` as a count.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any


def set_limits(limits: dict[str, Any]) -> None:
    """Lower what the process may use; a limit that the system does not know is left alone."""
    try:
        import resource
        import signal
    except ImportError:
        return
    wanted = (
        ("RLIMIT_AS", limits["memory"]),
        ("RLIMIT_FSIZE", limits["file"]),
        ("RLIMIT_CPU", limits["cpu"]),
        ("RLIMIT_NPROC", limits["processes"]),
        ("RLIMIT_CORE", 0),
    )
    for name, value in wanted:
        which = getattr(resource, name, None)
        if which is None or value is None:
            continue
        hard = resource.getrlimit(which)[1]
        lowered = value if hard == resource.RLIM_INFINITY else min(value, hard)
        try:
            resource.setrlimit(which, (lowered, hard))
        except (OSError, ValueError):
            continue
    # The parent may die first: nothing of the user's code outlives its deadline.
    signal.alarm(limits["alarm"])


def main() -> None:
    here = Path(__file__).resolve().parent
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != here]
    limits, agent = json.loads(sys.argv[1]), sys.argv[2]
    set_limits(limits)
    sys.argv[:] = sys.argv[2:]
    runpy.run_path(agent, run_name="__main__")


if __name__ == "__main__":
    main()
