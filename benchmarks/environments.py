"""Virtual environments with one released package and what it needs, made once into `.bench_cache`."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from pathlib import Path

from packages import CACHE

OLD_BUILD = ("setuptools==57.5.0", "wheel==0.37.1")
"""What builds the source releases whose `setup.py` the setuptools of today refuses."""

BESIDES = "setuptools<81"
"""What `python -m venv` of 3.11 puts in, and old releases import (`pkg_resources`)."""

ALSO: dict[str, tuple[str, ...]] = {
    "PyChromecast": ("protobuf<3.21",),
    "datadog": ("simplejson",),
    "google-cloud-pubsub": ("six", "protobuf<3.21"),
    "psycopg-pool": ("psycopg",),
    "redis": ("hiredis",),
}
"""What a release needs to be imported and does not ask for."""

LIMIT = 900
"""Seconds that one installation may take."""


def environment(package: str, version: str) -> Path:
    """The interpreter of an environment that has the release. RuntimeError where it cannot be installed.

    A failure is remembered, so that the next run does not try for minutes again.
    """
    folder = CACHE / "environments" / f"{package}=={version}"
    python = folder / "bin" / "python"
    failure = folder.with_name(f"{folder.name}.failed")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as claim:
        fcntl.flock(claim, fcntl.LOCK_EX)  # another benchmark may want the same one
        if failure.is_file():
            raise RuntimeError(failure.read_text())
        if not (folder / ".complete").is_file():
            _make(package, version, folder, python, failure)
    return python


def _make(package: str, version: str, folder: Path, python: Path, failure: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    wanted = [f"{package}=={version}", BESIDES, *ALSO.get(package, ())]
    why = _install(python, wanted)
    if why:
        _install(python, list(OLD_BUILD))
        why = _install(python, wanted[:1], "--no-build-isolation")
    if why:
        failure.write_text(why)
        shutil.rmtree(folder)
        raise RuntimeError(why)
    (folder / ".complete").touch()


def _install(python: Path, wanted: list[str], *options: str) -> str:
    """Install into the environment; empty, or the last words of what went wrong."""
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--disable-pip-version-check"]
    try:
        done = subprocess.run([*words, *options, *wanted], capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return f"pip did not end within {LIMIT} s"
    return "" if done.returncode == 0 else (done.stderr.strip() or f"exit {done.returncode}")[-300:]
