"""Property tests have no deadline: how long an example takes says how busy the machine is."""

import compileall
from pathlib import Path

import pytest
from hypothesis import settings

import racelint

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    """Compile racelint once for the hundreds of processes to come, which may be told to write no bytecode."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(Path(racelint.__file__).parent, quiet=2)
