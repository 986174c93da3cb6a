"""A real scheduler and two workers on this machine: the same answers, whatever happens to a worker."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from racelint.engine.cluster import BATCH_BYTES, BATCH_FILES, Cluster, batches
from racelint.engine.pool import summarize_all
from racelint.engine.worker import Request
from racelint.engine.workforce import WorkerError
from tests.cli.command import race, racelint, scan_json

KILLED_AT_ITS_FIRST_BATCH = """\
import os, signal
from racelint.engine import elsewhere
elsewhere.summarized = lambda batch: os.kill(os.getpid(), signal.SIGKILL)
"""
KILLS_THE_SCHEDULER = """\
import os, signal
from racelint.engine import elsewhere
elsewhere.summarized = lambda batch: os.kill({}, signal.SIGKILL)
"""


class Grid:
    """A scheduler and its workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-show")
        deadline = time.monotonic() + 60
        while not (address := self._told_address()):
            assert time.monotonic() < deadline, "the scheduler did not start"
            time.sleep(0.05)
        self.address = address

    def _told_address(self) -> str:
        """Empty as long as the scheduler has not written it to the end."""
        try:
            return str(json.loads(self._file.read_text())["address"])
        except (FileNotFoundError, ValueError):
            return ""

    def worker(self, *preload: str) -> subprocess.Popen[bytes]:
        options = ("--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1")
        return self._start("dask_worker", *options, *(word for text in preload for word in ("--preload", text)))

    def _start(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{name}", "--scheduler-file", str(self._file), *options]
        with open(self._folder / f"{name}-{len(self.processes)}.log", "wb") as log:
            process = subprocess.Popen(command, cwd=self._folder, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def wait_for(self, workers: int) -> None:
        script = (
            "import sys, distributed\n"
            "with distributed.Client(sys.argv[1]) as client: client.wait_for_workers(int(sys.argv[2]), timeout=60)\n"
        )
        subprocess.run([sys.executable, "-c", script, self.address, str(workers)], check=True)


@pytest.fixture
def grid(tmp_path: Path) -> Iterator[Grid]:
    folder = tmp_path / "grid"
    folder.mkdir()
    grid = Grid(folder)
    yield grid
    for process in grid.processes:
        process.kill()
        process.wait()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    for number in range(2 * BATCH_FILES + 50):
        text = race() if number % 100 == 0 else "import threading\n\nlock = threading.Lock()\n"
        (folder / f"m{number:03}.py").write_text(text)
    (folder / "broken.py").write_text("import threading\nx = (\n")
    return folder


def scanned(project: Path, *words: str) -> tuple[str, str]:
    answer = racelint("scan", "--isolated", "--no-cache", "--output-format", "json", *words, cwd=project)
    assert answer.returncode == 1, answer
    return answer.stdout, answer.stderr


def test_a_worker_that_is_killed_in_mid_run_loses_nothing(grid: Grid, project: Path) -> None:
    killed = grid.worker(KILLED_AT_ITS_FIRST_BATCH)
    grid.worker()
    grid.wait_for(2)
    far = scanned(project, "--executor", "dask", "--scheduler", grid.address)
    assert killed.wait(timeout=60) == -signal.SIGKILL
    near = scanned(project)
    assert near[0].count('"code": "RL101"') == 5
    assert far == near


def test_a_batch_that_no_worker_survives_is_read_here(grid: Grid, project: Path) -> None:
    killed = [grid.worker(KILLED_AT_ITS_FIRST_BATCH) for _ in range(4)]  # Dask tries three more workers
    grid.wait_for(4)
    far = scanned(project, "broken.py", "--executor", "dask", "--scheduler", grid.address)
    assert {worker.wait(timeout=60) for worker in killed} == {-signal.SIGKILL}
    assert far == scanned(project, "broken.py")


@pytest.fixture
def deserted(grid: Grid, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster whose one worker dies over its first batch, and that is not waited for."""
    grid.worker(KILLED_AT_ITS_FIRST_BATCH)
    grid.wait_for(1)
    cluster = Cluster(grid.address)
    monkeypatch.setattr("racelint.engine.cluster.PATIENCE", 2)
    return cluster


def test_what_the_last_worker_died_over_is_read_here(deserted: Cluster) -> None:
    requests = [Request(f"{number}.py", b"x = 1\n", False) for number in range(2 * BATCH_FILES)]
    answered: list[None] = []
    assert deserted.summarize(requests, lambda: answered.append(None)) == summarize_all(requests, 1)
    assert len(answered) == len(requests)


def test_a_scheduler_that_says_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("racelint.engine.cluster.PATIENCE", 1)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"tcp://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(WorkerError, match=f"cannot reach the scheduler {address}: .+"):
            Cluster(address)


def test_a_scheduler_that_ends_in_mid_run_is_one_error(grid: Grid, project: Path) -> None:
    grid.worker(KILLS_THE_SCHEDULER.format(grid.processes[0].pid))
    grid.wait_for(1)
    answer = racelint("scan", "-n", "--executor", "dask", "--scheduler", grid.address, cwd=project)
    assert answer.returncode == 2
    assert answer.stderr.count("racelint: error: ") == 1
    assert f"racelint: error: the scheduler {grid.address} is gone" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_worker_without_racelint_is_one_error(grid: Grid, project: Path) -> None:
    grid.worker("import sys\nsys.modules['racelint'] = None")
    grid.wait_for(1)
    answer = racelint("scan", "-n", "--executor", "dask", "--scheduler", grid.address, cwd=project)
    assert (answer.returncode, answer.stderr.count("\n")) == (2, 1)
    assert answer.stderr.startswith("racelint: error: the worker tcp://127.0.0.1:")
    assert answer.stderr.endswith(" has no racelint: pip install 'racelint[dask]' there\n")


def test_a_worker_with_another_racelint_is_an_error(grid: Grid, project: Path) -> None:
    grid.worker("from racelint.engine import elsewhere\nelsewhere.fingerprint = lambda: '0.0.1'\n")
    grid.wait_for(1)
    answer = racelint("scan", "-n", "--executor", "dask", "--scheduler", grid.address, "m000.py", cwd=project)
    assert answer.returncode == 2
    assert f"a worker of {grid.address} runs another racelint (0.0.1; this is " in answer.stderr


def without_time(answer: dict[str, Any]) -> Any:
    for finding in answer["findings"]:
        finding["verdict"].pop("schedules_run")  # an import that is slow is run once more
    return answer["findings"]


def test_findings_are_confirmed_there_too(grid: Grid, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(race())
    grid.worker()
    grid.worker()
    grid.wait_for(2)
    words = ("--no-cache", "--confirm", "one.py", "two.py")
    far = scan_json(*words, "--executor", "dask", "--scheduler", grid.address, cwd=tmp_path)
    assert [finding["verdict"]["status"] for finding in far["findings"]] == ["confirmed", "confirmed"]
    assert without_time(far) == without_time(scan_json(*words, cwd=tmp_path))


KILLED_WHILE_CONFIRMING = """\
import os, pathlib, signal, subprocess, types
from racelint.engine import elsewhere

def killed(command, input, capture_output, cwd, check):
    subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd)
    pathlib.Path(cwd, "begun").touch()
    os.kill(os.getpid(), signal.SIGKILL)

elsewhere.subprocess = types.SimpleNamespace(run=killed)
"""


def targets_confirmed(folder: Path, *words: str) -> tuple[int, list[Any], str]:
    targets = ("one.py::RL101", "one.py::Counter.add", "gone.py::f", "two.py::RL101", "two.py::Counter", "two.py::none")
    answer = racelint("confirm", *targets, "--output-format", "json", *words, cwd=folder)
    results = json.loads(answer.stdout)["results"]
    for result in results:
        result["verdict"].pop("schedules_run", None)
    return answer.returncode, results, answer.stderr


def test_targets_are_confirmed_there_and_a_worker_killed_meanwhile_loses_none(grid: Grid, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(race())
    killed = grid.worker(KILLED_WHILE_CONFIRMING)
    grid.worker()
    grid.wait_for(2)
    far = targets_confirmed(tmp_path, "--executor", "dask", "--scheduler", grid.address)
    assert (tmp_path / "begun").exists()
    assert killed.wait(timeout=60) == -signal.SIGKILL
    assert [result["verdict"]["status"] for result in far[1]] == ["confirmed"] * 4
    assert far == targets_confirmed(tmp_path)
    assert far[0] == 2
    assert "no class or function `none`" in far[2]


def test_what_cannot_be_reached_is_an_error(project: Path) -> None:
    answer = racelint("scan", "-n", "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9", "m000.py", cwd=project)
    assert answer.returncode == 2
    assert answer.stderr.startswith("racelint: error: cannot reach the scheduler tcp://127.0.0.1:9: ")
    assert answer.stderr.count("\n") == 1
    secret = racelint("scan", "-n", "--executor", "dask", "--scheduler", "tls://127.0.0.1:9", "m000.py", cwd=project)
    assert secret.returncode == 2
    assert "racelint: error: cannot reach the scheduler tls://127.0.0.1:9: " in secret.stderr
    for words in (["--executor", "dask"], ["--scheduler", "tcp://127.0.0.1:9"]):
        alone = racelint("scan", "-n", *words, "m000.py", cwd=project)
        assert alone.returncode == 2
        assert "`--executor dask` and `--scheduler ADDRESS` go together" in alone.stderr


def test_small_files_share_a_message() -> None:
    sizes = [10] * (BATCH_FILES + 1) + [BATCH_BYTES, BATCH_BYTES * 3, 5, 5]
    requests = [Request(f"{number}.py", b"x" * size, False) for number, size in enumerate(sizes)]
    cut = list(batches(requests))
    assert [len(batch) for batch in cut] == [BATCH_FILES, 1, 1, 1, 2]
    assert [request for batch in cut for request in batch] == requests
