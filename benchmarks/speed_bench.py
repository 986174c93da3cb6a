"""What a scan costs: cold, warm, after an edit, as a hook; beside five other tools; how it grows to a million lines.

Writes a table for each part to docs/_generated, and the plot to docs/growth.png.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from packages import CACHE, REPOSITORY, line_count, top_level, tree
from scan_bench import RELEASES
from synthetic import write_tree
from tools import environment, fingerprint, newer_python

LIMIT = 45.0
"""Wall seconds that another tool gets for one package."""
GROWTH = (10_000, 100_000, 300_000, 1_000_000)
EDIT = "\n\ndef added_by_an_edit(values):\n    return [value for value in values if value]\n"
PARTS = ("start-up", "packages", "growth")
PAGES = REPOSITORY / "docs" / "_generated"
PLOT = REPOSITORY / "docs" / "growth.png"
IMPORTS = "import click, libcst"
TOOLS = {
    "threadcheck": ("threadcheck==0.0.1.2", "threadcheck", "scan", "-q"),
    "thread-safety": ("thread-safety==0.4.0", "thread-safety", "analyze"),
    "pylint, four messages": (
        "pylint==4.1.4",
        *("pylint", "--disable=all", "--score=n"),
        "--enable=bad-thread-instantiation,useless-with-lock,subprocess-popen-preexec-fn,consider-using-with",
    ),
    "bandit": ("bandit", "bandit", "-q", "-r"),
    "flake8-async": ("flake8-async", "flake8-async"),
}
"""The requirement, the program and its arguments before the folder."""


class Cost(NamedTuple):
    """CPU and wall seconds and peak memory in bytes, child processes included; `ended` is False at the limit."""

    cpu: float
    wall: float
    memory: int
    ended: bool = True

    def __str__(self) -> str:
        return f"{'' if self.ended else 'over '}{self.cpu:.2f}"


def cost_of(words: Sequence[str], folder: Path, limit: float = 1800.0, modules: Path | None = None) -> Cost:
    """Run a command to its end or the limit, and everything that it started with it."""
    environ = {**os.environ, "PYTHONPATH": str(modules)} if modules else None
    begun = time.monotonic()
    process = subprocess.Popen(
        words, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    timer = threading.Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    _, status, usage = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    ended = process.returncode != -signal.SIGKILL
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - begun, usage.ru_maxrss * 1024, ended)


class Racelint:
    """A copy that stands where an installed one does."""

    def __init__(self) -> None:
        sources = REPOSITORY / "src" / "racelint"
        self.modules = CACHE / "speed" / fingerprint(sources) / "site-packages"
        if not self.modules.exists():
            part = self.modules.with_name(f"part-{os.getpid()}")
            shutil.copytree(sources, part / "racelint", ignore=shutil.ignore_patterns("__pycache__"))
            compileall.compile_dir(part, quiet=1)
            part.rename(self.modules)

    def scan(self, project: Path, *words: str) -> Cost:
        return self.run(project, "scan", "--isolated", "--output-format", "json", *words)

    def run(self, folder: Path, *words: str) -> Cost:
        return cost_of([sys.executable, "-m", "racelint", *words], folder, modules=self.modules)


class Measured(NamedTuple):
    """The cost of each way to scan one tree; `linked` is a scan that knows all summaries and links anew."""

    lines: int
    cold: Cost
    warm: Cost
    changed: Cost
    alone: Cost
    linked: Cost
    cache: int
    """Bytes on disk."""


def measure(racelint: Racelint, project: Path, part: str) -> Measured:
    """Scan the folder `part` of a project in every way."""
    lines = line_count(project / part)
    edited = typical(project / part)

    def with_edit() -> Cost:
        with edited.open("a") as file:
            file.write(EDIT)
        return racelint.scan(project, "-j1", part)

    alone = least(lambda: racelint.scan(project, "-n", "-j1", str(edited.relative_to(project))))
    cold = racelint.scan(project, "-j1", part)
    warm = least(lambda: racelint.scan(project, "-j1", part))
    cache = sum(file.stat().st_size for file in (project / ".racelint_cache").iterdir())
    linked = racelint.scan(project, "-j1", "--extend-select", "RL101", part)
    return Measured(lines, cold, warm, least(with_edit), alone, linked, cache)


def least(run: Callable[[], Cost], times: int = 4) -> Cost:
    """The least cost of several runs; of one where that takes long, and noise matters little."""
    first = run()
    return first if first.cpu > 2 else min(first, *(run() for _ in range(times - 1)))


def typical(part: Path) -> Path:
    """The file that is edited: of middling size."""
    files = sorted((file for file in part.rglob("*.py") if file.stat().st_size), key=lambda file: file.stat().st_size)
    return files[len(files) // 2]


def copies(folder: Path) -> Iterator[tuple[str, Path, str]]:
    """Each package as a project of its own: the name shown, the project, and the folder in it."""
    for package, version in RELEASES.items():
        project = folder / package
        part = top_level(tree(package, version, folder="releases"), f"{package}/__init__.py")
        shutil.copytree(part, project / package, ignore=shutil.ignore_patterns("__pycache__", ".racelint_cache"))
        (project / "pyproject.toml").touch()
        yield f"{package} {version}", project, package


def peers(project: Path, part: str) -> dict[str, Cost]:
    """What the other tools cost on the same copy."""
    found = {}
    for name, (requirement, program, *words) in TOOLS.items():
        python = environment(requirement, newer_python() if name == "threadcheck" else sys.executable)
        given = sorted(map(str, Path(project, part).rglob("*.py"))) if name == "flake8-async" else [part]
        found[name] = cost_of([str(python.parent / program), *words, *given], project, LIMIT)
        print(f"  {name}: {found[name]}", flush=True)
    return found


def start_up(racelint: Racelint, folder: Path) -> dict[str, Cost]:
    """What a process costs that does next to nothing."""
    (folder / "small.py").write_text("import threading\n\nlock = threading.Lock()\n")
    (folder / "pyproject.toml").touch()
    bare = [sys.executable, "-c", IMPORTS]
    return {
        f"`python -c '{IMPORTS}'`": least(lambda: cost_of(bare, folder)),
        "`racelint --version`": least(lambda: racelint.run(folder, "--version")),
        "`racelint scan small.py`, nothing remembered": least(lambda: racelint.scan(folder, "-n", "small.py")),
        "`racelint scan small.py`, again": least(lambda: racelint.scan(folder, "small.py")),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=PARTS)
    only = parser.parse_args().only or PARTS
    racelint = Racelint()
    with tempfile.TemporaryDirectory(prefix="racelint-speed-") as name:
        folder = Path(name)
        if "start-up" in only:
            write("start-up", [start_up_table(start_up(racelint, folder))])
        if "packages" in only:
            write("packages", package_tables(packages(racelint, folder)))
        if "growth" in only:
            grown = growth(racelint, folder)
            plot(grown)
            write("growth", [growth_table(grown), estimate(grown[-1])])


def write(part: str, sections: Sequence[str]) -> None:
    text = "\n\n".join(sections)
    print(text, flush=True)
    (PAGES / f"speed-{part}.md").write_text(f"<!-- Made by `make bench-speed`. -->\n\n{text}\n", encoding="utf-8")


def packages(racelint: Racelint, folder: Path) -> dict[str, tuple[Measured, dict[str, Cost]]]:
    found = {}
    for shown, project, part in copies(folder):
        print(shown, flush=True)
        found[shown] = (measure(racelint, project, part), peers(project, part))
    return found


def growth(racelint: Racelint, folder: Path) -> list[Measured]:
    grown = []
    for lines in GROWTH:
        project = write_tree(folder / f"synthetic-{lines}", lines)
        grown.append(measure(racelint, project, "."))
        print(f"{lines:,} lines: {grown[-1].cold} cold", flush=True)
        shutil.rmtree(project)
    return grown


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    marks = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, marks, *rows))


def start_up_table(costs: dict[str, Cost]) -> str:
    floor = next(iter(costs.values()))
    rows = [
        (name, f"{cost.cpu * 1000:.0f}", f"{(cost.cpu - floor.cpu) * 1000:+.0f}", mebibytes(cost))
        for name, cost in costs.items()
    ]
    return table(("process", "CPU ms", "above the first", "peak MiB"), rows)


def package_tables(packages: dict[str, tuple[Measured, dict[str, Cost]]]) -> list[str]:
    """CPU seconds beside the other tools, then wall seconds and memory."""
    measured = {name: own for name, (own, _) in packages.items()}
    others = {tool: [costs[tool] for _, costs in packages.values()] for tool in TOOLS}
    ways = {
        "racelint, cold": [own.cold for own in measured.values()],
        "racelint, warm": [own.warm for own in measured.values()],
        "racelint, one file changed": [own.changed for own in measured.values()],
        "racelint, one file alone": [own.alone for own in measured.values()],
        **others,
    }
    cold = ways["racelint, cold"]
    head = ["", *(f"{name}, {own.lines // 1000}k lines" for name, own in measured.items())]
    cpu = [
        (way, *(f"{c} ({c.cpu / first.cpu:.2f})" for c, first in zip(costs, cold, strict=True)))
        for way, costs in ways.items()
    ]
    rest = [(way, *(f"{c.wall:.1f} s, {mebibytes(c)} MiB" for c in costs)) for way, costs in ways.items()]
    return [
        "CPU seconds, and in brackets the ratio to a cold scan with racelint:",
        table(head, cpu),
        "Wall seconds and peak memory:",
        table(head, rest),
    ]


def growth_table(grown: Sequence[Measured]) -> str:
    head = ("lines", "cold", "per 10,000 lines", "warm", "one file changed", "peak MiB", "cache MiB")
    rows = [
        (
            f"{own.lines:,}",
            f"{own.cold.cpu:.1f}",
            f"{own.cold.cpu / own.lines * 10_000:.2f}",
            f"{own.warm.cpu:.2f}",
            f"{own.changed.cpu:.2f}",
            mebibytes(own.cold),
            f"{own.cache / 2**20:.1f}",
        )
        for own in grown
    ]
    return table(head, rows)


def estimate(own: Measured) -> str:
    """Ten million lines from the largest tree: reading is shared among cores, linking is done by one process."""
    times = 10_000_000 / own.lines
    link, read = own.linked.cpu * times, (own.cold.cpu - own.linked.cpu) * times
    rows = [
        ("one machine, one core", f"{(read + link) / 60:.0f} min", f"{own.warm.cpu * times:.0f} s"),
        ("one machine, 16 cores", f"{(read / 16 + link) / 60:.0f} min", f"{own.warm.cpu * times:.0f} s"),
        ("twenty machines, 16 cores each", f"{(read / 320 + link) / 60:.0f} min", f"{own.warm.cpu * times:.0f} s"),
    ]
    sizes = f"The cache takes {own.cache * times / 2**20:.0f} MiB on disk."
    return table(("10,000,000 lines, worked out", "cold", "warm"), rows) + f"\n\n{sizes}"


def mebibytes(cost: Cost) -> str:
    return f"{cost.memory / 2**20:.0f}"


def plot(grown: Sequence[Measured]) -> None:
    """CPU seconds and memory over lines, both axes logarithmic: a straight line at 45 degrees is linear growth."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    lines = [own.lines for own in grown]
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for label, costs in (
        ("cold", [own.cold.cpu for own in grown]),
        ("warm", [own.warm.cpu for own in grown]),
        ("one file changed", [own.changed.cpu for own in grown]),
    ):
        left.loglog(lines, costs, marker="o", label=label)
    left.loglog(lines, [grown[0].cold.cpu * n / lines[0] for n in lines], "k:", label="linear")
    left.set(xlabel="lines", ylabel="CPU seconds")
    left.legend()
    right.semilogx(lines, [own.cold.memory / 2**20 for own in grown], marker="o", label="cold")
    right.semilogx(lines, [own.warm.memory / 2**20 for own in grown], marker="o", label="warm")
    right.set(xlabel="lines", ylabel="peak memory, MiB", ylim=(0, None))
    right.legend()
    figure.savefig(PLOT, dpi=110, metadata={"Software": None})


if __name__ == "__main__":
    main()
