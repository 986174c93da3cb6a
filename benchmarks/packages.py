"""Released packages on disk: fetched once into `.bench_cache`, never installed."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
CACHE = REPOSITORY / ".bench_cache"
PROJECT_FILES = ("pyproject.toml", "setup.py", "setup.cfg")

sys.path.insert(0, str(HERE / "racebench"))

from fetch import fetch, locate  # noqa: E402


def tree(package: str, version: str, artefact: str = "", folder: str = "racebench") -> Path:
    """The unpacked release. RuntimeError or CalledProcessError where no index has it.

    A wheel has no project file of its own: an empty one is put beside the package, so that the tree is a project of its
    own to every tool and none looks for settings or modules in the folders above.
    """
    into = CACHE / folder
    into.mkdir(parents=True, exist_ok=True)
    unpacked = fetch(into, package, version, artefact)
    if not any((unpacked / name).exists() for name in PROJECT_FILES):
        (unpacked / "pyproject.toml").touch()
    return unpacked


def top_level(unpacked: Path, file: str) -> Path:
    """The package folder (or single module) that `file`, a path inside the installed package, belongs to.

    FileNotFoundError where the release has no such file.
    """
    found = locate(unpacked, file)
    if found is None:
        raise FileNotFoundError(f"{unpacked.name} has no {file}")
    depth = len(Path(file).parts) - 1
    return found.parents[depth - 1] if depth else found


def top_levels(unpacked: Path) -> list[Path]:
    """Every package folder and module at the top of a release (below `src` where it has one)."""
    base = unpacked / "src" if (unpacked / "src").is_dir() else unpacked
    skipped = {"setup.py", "conftest.py", "tests", "test", "docs", "examples"}
    return [
        entry
        for entry in sorted(base.iterdir())
        if entry.name not in skipped and (entry.suffix == ".py" or (entry / "__init__.py").is_file())
    ]


def python_files(part: Path) -> list[Path]:
    """The Python files of a package folder, or the one module."""
    return [part] if part.is_file() else sorted(part.rglob("*.py"))


def line_count(part: Path) -> int:
    """Lines of all Python files of `part`."""
    return sum(file.read_bytes().count(b"\n") for file in python_files(part))


def thousands(lines: int) -> float:
    """Thousands of lines, never 0: a divisor."""
    return max(lines, 1) / 1000
