"""`racelint scan` over four large released packages and the standard library: crashes, findings, time and memory."""

from __future__ import annotations

import argparse
import sys
import sysconfig
from collections import Counter
from pathlib import Path

from packages import CACHE, line_count, thousands, top_level, tree
from tools import Answer, Racelint

RELEASES = {
    "urllib3": "2.8.0",
    "redis": "8.1.0",
    "distributed": "2026.8.0",
    "sqlalchemy": "2.1.9",
}


def parts(only: list[str] | None) -> dict[str, Path]:
    """What is scanned, by the name shown; downloads what is missing."""
    found = {
        f"{package} {version}": top_level(tree(package, version, folder="releases"), f"{package}/__init__.py")
        for package, version in RELEASES.items()
        if not only or package in only
    }
    if not only or "stdlib" in only:
        found[f"Python {sys.version_info.major}.{sys.version_info.minor} library"] = standard_library()
    return found


def standard_library() -> Path:
    """A copy of the interpreter's library without its tests and installed packages, kept in the cache."""
    import shutil

    source = Path(sysconfig.get_path("stdlib"))
    copied = CACHE / "releases" / f"stdlib-{sys.version_info.major}.{sys.version_info.minor}" / "lib"
    if not copied.is_dir():
        left_out = shutil.ignore_patterns("site-packages", "test", "tests", "idlelib", "__pycache__", "config-*")
        shutil.copytree(source, copied, ignore=left_out)
        (copied.parent / "pyproject.toml").touch()
    return copied


def by_rule(answer: Answer, lines: int) -> str:
    counts = Counter((hit.code, hit.severity) for hit in answer.hits)
    return "\n".join(
        f"      {code} {severity:8} {n:5}  {n / thousands(lines):7.3f} per 1,000 lines"
        for (code, severity), n in sorted(counts.items())
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="PACKAGE", help="urllib3, redis, …, or stdlib")
    parser.add_argument("--again", action="store_true", help="scan anew, although our sources have not changed")
    options = parser.parse_args()
    tool = Racelint()
    crashed = 0
    print(f"{'':24} {'lines':>9} {'findings':>9} {'per 1,000':>10} {'CPU s':>8} {'peak MiB':>9}")
    for name, part in parts(options.only).items():
        answer = tool.run(part, part.parent) if options.again else tool.scan(part)
        lines = line_count(part)
        grave = [hit for hit in answer.hits if hit.severity in tool.grave]
        figures = f"{len(grave):9} {len(grave) / thousands(lines):10.2f} {answer.seconds:8.1f}"
        print(f"{name:24} {lines:9,} {figures} {answer.memory / 2**20:9.0f}")
        if answer.hits:
            print(by_rule(answer, lines))
        if answer.failure:
            crashed += 1
            print(f"      FAILED: {answer.failure}")
    sys.exit(1 if crashed else 0)


if __name__ == "__main__":
    main()
