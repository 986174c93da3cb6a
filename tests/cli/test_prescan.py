"""What the prescan leaves out changes no finding, whatever the cache and the number of processes."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from textwrap import indent

import pytest

from tests.cli.command import race, racelint

FIXTURES = Path(__file__).parent.parent / "fixtures"
PACKAGES = ("urllib3", "pathspec", "jinja2", "trio", "rich", "pygments")


def copied(package: str, folder: Path) -> Path:
    """A released package as a project of its own."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.origin is not None
    (folder / "pyproject.toml").touch()
    shutil.copytree(Path(spec.origin).parent, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def scanned(project: Path, *words: str) -> str:
    answer = racelint("scan", "--isolated", "--min-severity", "info", "--output-format", "json", *words, cwd=project)
    assert answer.returncode in (0, 1), answer
    return answer.stdout


@pytest.mark.parametrize("package", PACKAGES)
def test_released_packages_give_the_same_findings(package: str, tmp_path: Path) -> None:
    project = copied(package, tmp_path)
    cold = scanned(project)
    assert scanned(project) == cold
    assert scanned(project, "--no-cache", "--no-prescan", "-j", "1") == cold
    assert scanned(project, "--no-cache", "-j", "3") == cold


def test_fixtures_give_the_same_findings(tmp_path: Path) -> None:
    project = tmp_path / "fixtures"
    shutil.copytree(FIXTURES, project)
    found = scanned(project)
    assert found.count('"code"') > 100
    assert scanned(project, "--no-prescan") == found


def test_code_that_a_thread_in_another_file_runs_is_analysed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "plain.py").write_text("hits = 0\n\n\ndef hit():\n    global hits\n    hits += 1\n")
    (tmp_path / "starts.py").write_text(
        "import threading\nimport plain\n\nfor _ in range(2):\n    threading.Thread(target=plain.hit).start()\n"
    )
    (tmp_path / "alone.py").write_text(race().replace("import threading\n", "").replace("threading.", ""))
    found = scanned(tmp_path)
    assert '"path": "plain.py"' in found
    assert scanned(tmp_path, "--no-prescan") == found


WITHOUT_A_THREAD_IN_SIGHT = {
    "fastapi": "from fastapi import FastAPI\n\napp = FastAPI()\n{hits}@app.get('/')\ndef hit():\n{add}",
    "watchdog": "from watchdog.events import FileSystemEventHandler\n\n\n"
    "class Hits(FileSystemEventHandler):\n    n = 0\n\n    def on_created(self, event):\n        self.n += 1\n\n"
    "    def hit(self):\n        self.n += 1\n",
    "rest": "from rest_framework.views import APIView\n\n{hits}"
    "class Hits(APIView):\n    def get(self, request):\n{add_inside}",
    "middleware": "{hits}class Hits:\n    def __init__(self, get_response):\n        self.next = get_response\n\n"
    "    def __call__(self, request):\n{add_inside}",
}


@pytest.mark.parametrize("name", WITHOUT_A_THREAD_IN_SIGHT)
def test_code_that_a_framework_runs_on_threads_is_analysed(name: str, tmp_path: Path) -> None:
    add = "    global hits\n    hits += 1\n"
    text = WITHOUT_A_THREAD_IN_SIGHT[name].format(hits="hits = 0\n\n\n", add=add, add_inside=indent(add, "    "))
    (tmp_path / "served.py").write_text(text)
    found = scanned(tmp_path)
    assert found.count('"code": "RL101"') == 1
    assert scanned(tmp_path, "--no-prescan") == found
