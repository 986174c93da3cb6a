"""Runs the real agent as a subprocess, from a copied folder, on any interpreter found on this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

import racelint.agent

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")


def find_interpreter(version: str) -> str | None:
    """An interpreter of that version: on PATH, or among pyenv's."""
    found = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    named = shutil.which(f"python{version}")
    for candidate in [*map(str, found), *([named] if named else [])]:
        answer = subprocess.run([candidate, "-V"], capture_output=True, text=True, check=False)
        if answer.stdout.startswith(f"Python {version}."):
            return candidate
    return None


@pytest.fixture(scope="session")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The agent's folder under another name, with the bytecode of racelint's."""
    folder = tmp_path_factory.mktemp("copied") / "agent_under_test"
    shutil.copytree(Path(racelint.agent.__file__).parent, folder)
    return folder


@pytest.fixture(scope="session", params=VERSIONS)
def interpreter(request: pytest.FixtureRequest, copied: Path) -> str:
    """Each of the supported versions that is installed; the agent is compiled for it."""
    found = find_interpreter(request.param)
    if found is None:
        pytest.skip(f"no Python {request.param} on this machine")
    subprocess.run([found, "-m", "compileall", "-q", copied], check=True)
    return found


class AgentRunner:
    """Writes a model to a folder and runs the agent on it; the answer comes back as plain data."""

    def __init__(self, folder: Path, agent: Path) -> None:
        self.folder = folder
        self.agent = agent

    def job(
        self,
        source: str,
        operations: list[str],
        setup: str = "",
        *,
        name: str = "model",
        schedule: dict[str, Any] | None = None,
        seconds: float = 20.0,
        schedules: int = 1500,
        bound: int = 4,
        steps: int = 20_000,
        interpreters: str = "any",
        **scenario: Any,
    ) -> dict[str, Any]:
        """A job on `source`; its lines marked `# FLAG` are the flagged sites."""
        text = textwrap.dedent(source)
        path = self.folder / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        lines = [n for n, line in enumerate(text.splitlines(), 1) if "# FLAG" in line]
        whole = {
            "kind": "threads",
            "module": name,
            "path": str(path),
            "sys_path": [str(self.folder)],
            "setup": setup,
            "operations": [{"label": op, "source": op} for op in operations],
            "after": "",
            "observe": [],
            "invariant": "",
            "instrument": [],
            "flagged": [{"path": str(path), "line": n, "column": 0} for n in lines],
            "code": "",
            **scenario,
        }
        budget = {"seconds": seconds, "schedules": schedules, "steps": steps, "memory": 0, "bound": bound, "seed": 0}
        budget["interpreters"] = interpreters
        return {"scenario": whole, "budget": budget, "schedule": schedule, "protocol": 1}

    def run(
        self, job: dict[str, Any], python: str = sys.executable, carrier: str = "", seed: str = "0"
    ) -> dict[str, Any]:
        """The answer to a job; the agent must print nothing and end with status 0. `seed` is that of hashes."""
        asked, answered = self.folder / "job.json", self.folder / "answer.json"
        asked.write_text(json.dumps(job), encoding="utf-8")
        answered.unlink(missing_ok=True)
        given = {"RACELINT_CARRIER": carrier, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [python, str(self.agent / "__main__.py"), str(asked), str(answered)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **given},
            timeout=120,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        answer: dict[str, Any] = json.loads(answered.read_text(encoding="utf-8"))
        return answer

    def __call__(self, source: str, operations: list[str], setup: str = "", **options: Any) -> dict[str, Any]:
        python = options.pop("python", sys.executable)
        carrier = options.pop("carrier", "")
        return self.run(self.job(source, operations, setup, **options), python, carrier)


@pytest.fixture
def agent(tmp_path: Path, copied: Path) -> AgentRunner:
    return AgentRunner(tmp_path, copied)
