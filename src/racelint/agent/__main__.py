"""Start the agent from its folder, whatever the folder is called."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH100, PTH118, PTH120
import importlib
import importlib.util
import os
import sys


def start() -> int:
    here = os.path.dirname(os.path.abspath(__file__))
    if sys.path and os.path.abspath(sys.path[0]) == here:
        del sys.path[0]
    if os.environ.get("PYTHONHASHSEED") in (None, "", "random"):
        # The order of sets of strings must not differ between a search and its replay.
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    spec = importlib.util.spec_from_file_location(
        "racelint_agent", os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    assert spec is not None and spec.loader is not None
    package = importlib.util.module_from_spec(spec)
    sys.modules["racelint_agent"] = package
    spec.loader.exec_module(package)
    main = importlib.import_module("racelint_agent.main")
    status: int = main.main(sys.argv[1:])
    return status


if __name__ == "__main__":
    sys.exit(start())
