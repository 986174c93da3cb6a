"""`make bench-ux`: what users of Python linters expect, each tried as a user would, by subprocess.

A line is done where the command did what it should, and not done with what it did instead.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

RACE = """\
import threading

class Counter:
    def __init__(self):
        self.n = 0
    def add(self):
        self.n += 1{comment}

c = Counter()
for _ in range(2):
    threading.Thread(target=c.add).start()
"""
FORMATS = ("full", "concise", "grouped", "json", "json-lines", "sarif", "github", "gitlab", "junit", "rdjson", "html")
Answer = subprocess.CompletedProcess[str]
Try = Callable[[Path], bool]


def run(folder: Path, *arguments: str, given: str = "", **environ: str) -> Answer:
    command = [sys.executable, "-P", "-m", "racelint", *arguments]
    clean = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        command, cwd=folder, input=given, env={**clean, **environ}, capture_output=True, text=True, timeout=300
    )


def gives(code: int, *arguments: str, says: str = "", given: str = "", **environ: str) -> Try:
    """A try that runs one command and looks at its exit code and for a text in either stream."""

    def attempt(folder: Path) -> bool:
        answer = run(folder, *arguments, given=given, **environ)
        return answer.returncode == code and says in answer.stdout + answer.stderr

    return attempt


def configured(text: str, attempt: Try, name: str = "racelint.toml") -> Try:
    """The same in a project with a configuration."""

    def attempted(folder: Path) -> bool:
        (folder / name).write_text(text)
        return attempt(folder)

    return attempted


def commented(comment: str, attempt: Try) -> Try:
    """The same with a comment on the line of the race."""

    def attempted(folder: Path) -> bool:
        (folder / "race.py").write_text(RACE.format(comment=comment))
        return attempt(folder)

    return attempted


def both(*attempts: Try) -> Try:
    return lambda folder: all(attempt(folder) for attempt in attempts)


def declared(folder: Path) -> bool:
    """Locks, roots and blocking calls that only the configuration knows."""
    (folder / "race.py").write_text(
        "from lib import Gate, fetch\n\ngate, seen = Gate(), 0\n\n\ndef handle():\n    global seen\n    seen += 1\n"
        "    with gate:\n        fetch()\n\n\n"
        "def leaks(items):\n    gate.acquire()\n    items[0]()\n    gate.release()\n"
    )
    quiet = run(folder, "scan").returncode == 0
    keys = {"locks": "lib.Gate", "thread-roots": "race.handle", "blocking-calls": "lib.fetch"}
    (folder / "racelint.toml").write_text("".join(f"extra-{key} = ['{name}']\n" for key, name in keys.items()))
    found = run(folder, "scan", "--output-format", "concise").stdout
    return quiet and all(code in found for code in ("RL101", "RL201", "RL205"))


def baseline(folder: Path) -> bool:
    """It survives edits above and a rename, and says what has gone."""
    wrote = run(folder, "baseline").returncode == 0
    (folder / "race.py").rename(folder / "moved.py")
    (folder / "moved.py").write_text("# above\n" + RACE.format(comment=""))
    known = run(folder, "scan", "--baseline", "racelint-baseline.json").returncode == 0
    (folder / "moved.py").write_text("")
    gone = run(folder, "scan", "--baseline", "racelint-baseline.json")
    return wrote and known and gone.returncode == 1 and "RL903" in gone.stdout


def new_from_rev(folder: Path) -> bool:
    (folder / "old.py").write_text("class Box:\n    n = 0\n    def add(self):\n        self.n += 1\n\nbox = Box()\n")
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    for command in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "x")):
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    old = run(folder, "scan", "--new-from-rev", "HEAD").returncode == 0
    (folder / "new.py").write_text(RACE.format(comment=""))
    answer = run(folder, "scan", "--new-from-rev", "HEAD", "--output-format", "concise")
    new = answer.returncode == 1 and "new.py" in answer.stdout and "race.py" not in answer.stdout
    (folder / "new.py").write_text(
        "import threading\nfrom old import box\nfor _ in '12':\n    threading.Thread(target=box.add).start()\n"
    )
    caused = run(folder, "scan", "--new-from-rev", "HEAD").stdout
    return old and new and "old.py:4:" in caused and "the change at new.py:4 causes it" in caused


def add_ignore(folder: Path) -> bool:
    run(folder, "scan", "--add-ignore=old")
    return "# racelint: ignore[RL101] old" in (folder / "race.py").read_text() and run(folder, "scan").returncode == 0


def formats(folder: Path) -> bool:
    several = [part for name in FORMATS for part in ("--output-format", f"{name}:out.{name}")]
    run(folder, "scan", *several)
    return all((folder / f"out.{name}").stat().st_size for name in FORMATS)


def settings(folder: Path) -> bool:
    shown = run(folder, "scan", "--show-settings").stdout
    return "min-confidence" in shown and run(folder, "scan", "--show-files").stdout == "race.py\n"


def gitignored(folder: Path) -> bool:
    (folder / ".git").mkdir()
    (folder / ".gitignore").write_text("race.py\n")
    return "no Python files" in run(folder, "scan").stderr


def colours(folder: Path) -> bool:
    def coloured(*arguments: str, **environ: str) -> bool:
        return "\x1b[" in run(folder, "scan", *arguments, **environ).stdout

    return (
        not coloured()
        and coloured("--color", "always", NO_COLOR="1")
        and coloured(FORCE_COLOR="1")
        and not coloured(FORCE_COLOR="1", NO_COLOR="1")
    )


def broken_pipe(folder: Path) -> bool:
    for number in range(200):
        (folder / f"m{number}.py").write_text("x = (")
    command = f"{sys.executable} -P -m racelint scan --output-format concise | head -1"
    answer = subprocess.run(command, shell=True, cwd=folder, capture_output=True, text=True)
    return not answer.stderr and bool(answer.stdout)


def version_is_quick(folder: Path) -> bool:
    return startup() < 0.060


def startup() -> float:
    """CPU seconds of `--version` beyond a bare interpreter's, the least of seven each."""

    def cost(*arguments: str) -> float:
        before = os.times()
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    ours = min(cost("-P", "-m", "racelint", "--version") for _ in range(7))
    return ours - min(cost("-I", "-c", "pass") for _ in range(7))


def pytest_plugin(folder: Path) -> bool:
    (folder / "test_x.py").write_text("def test_x(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "--racelint"]
    answer = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return "1 failed, 1 passed" in answer.stdout


def server(folder: Path) -> bool:
    request = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}})
    answer = run(folder, "server", given=f"Content-Length: {len(request)}\r\n\r\n{request}")
    return "codeActionProvider" in answer.stdout


def watches(folder: Path) -> bool:
    command = [sys.executable, "-P", "-m", "racelint", "scan", "--watch", "--output-format", "concise"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    seen = [process.stdout.readline(), process.stdout.readline()]
    time.sleep(1)
    (folder / "race.py").write_text(RACE.format(comment="  # racelint: ignore[RL101]"))
    again = process.stdout.readline()
    process.terminate()
    process.wait()
    return "RL101" in seen[0] and "1 suppressed" in again


def plugin(folder: Path) -> bool:
    info = folder / "site/acme-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[racelint.rules]\nacme = racelint.rules.unguarded_mutation\n")
    answer = run(folder, "scan", PYTHONPATH=str(folder / "site"))
    return "plugin acme: its rule RL101 has the code of another" in answer.stderr


def in_a_shell(line: str, code: int, says: str) -> Try:
    """A try that gives a line with `racelint` in it to the shell."""

    def attempt(folder: Path) -> bool:
        line_here = line.replace("racelint", f"{sys.executable} -P -m racelint")
        answer = subprocess.run(line_here, shell=True, cwd=folder, capture_output=True, text=True, timeout=300)
        return answer.returncode == code and says in answer.stderr and "Traceback" not in answer.stderr

    return attempt


LINES: tuple[tuple[str, str, Try], ...] = (
    ("config", "racelint.toml", configured("ignore = ['RL1']", gives(0, "scan"))),
    ("config", "[tool.racelint]", configured("[tool.racelint]\nignore = ['RL1']", gives(0, "scan"), "pyproject.toml")),
    ("config", "extend", configured("ignore = ['RL1']", configured("extend = 'b.toml'", gives(0, "scan")), "b.toml")),
    ("config", "--config", configured("ignore = ['RL1']", gives(0, "scan", "--config", "x.toml"), "x.toml")),
    ("config", "--isolated", configured("ignore = ['RL1']", gives(1, "scan", "--isolated"))),
    ("config", "racelint config --schema", gives(0, "config", "--schema", says="per-file-ignores")),
    ("config", "extra-locks, roots, blocking calls", declared),
    ("config", "a wrong key is told", configured("selct = []", gives(2, "scan", says="did you mean `select`?"))),
    ("select", "--select --ignore", both(gives(0, "scan", "--select", "RL2"), gives(0, "scan", "--ignore", "RL1"))),
    ("select", "--extend-select, ALL", gives(1, "scan", "--select", "ALL", "--extend-select", "RL211")),
    ("per path", "per-file-ignores", configured("per-file-ignores = {'race.py' = ['RL1']}", gives(0, "scan"))),
    ("inline", "# racelint: ignore[RL101]", commented("  # racelint: ignore[RL101] why", gives(0, "scan"))),
    ("inline", "file-ignore", commented("\n# racelint: file-ignore[RL1]", gives(0, "scan"))),
    ("inline", "# noqa: RL101", commented("  # noqa: RL101", gives(0, "scan"))),
    ("ignore inline", "--ignore-noqa", commented("  # noqa: RL101", gives(1, "scan", "--ignore-noqa"))),
    ("unused suppr.", "RL901", commented("  # noqa: RL101, RL301", gives(1, "scan", says="RL901"))),
    ("blanket suppr.", "RL902", commented("  # racelint: ignore", gives(1, "scan", says="RL902"))),
    ("add suppr.", "--add-ignore[=REASON]", add_ignore),
    ("baseline", "racelint baseline, --baseline FILE", baseline),
    ("changed only", "--new-from-rev REV", new_from_rev),
    (
        "fix",
        "racelint fix, --fix --diff",
        both(gives(0, "fix", "--help"), gives(0, "scan", "--help", says="--unsafe-fixes")),
    ),
    ("formats", " ".join(FORMATS), formats),
    ("to file", "-o/--output-file, FORMAT:FILE", gives(1, "scan", "-o", "out.txt")),
    ("statistics", "--statistics", gives(1, "scan", "--statistics", says="1  RL101")),
    ("explain", "racelint rule [CODE|--all]", both(gives(0, "rule", "RL101"), gives(0, "rule", "--all"))),
    ("show config", "--show-settings --show-files", settings),
    ("show config", "racelint config", gives(0, "config", "confirm.budget", says="10.0")),
    ("watch", "-w/--watch", watches),
    ("cache", "-n/--no-cache --cache-dir", gives(1, "scan", "--no-cache", "--cache-dir", "c")),
    ("cache", "racelint clean", gives(0, "clean")),
    ("jobs", "-j/--jobs auto", both(gives(1, "scan", "-j", "auto"), gives(1, "scan", "-j", "2"))),
    (
        "stdin",
        "- --stdin-filename",
        gives(1, "scan", "-", "--stdin-filename", "x.py", says="x.py:7", given=RACE.format(comment="")),
    ),
    ("exclude", "--exclude --extend-exclude", gives(0, "scan", "--exclude", "race.py")),
    ("exclude", "--force-exclude", gives(0, "scan", "race.py", "--exclude", "race.py", "--force-exclude")),
    (".gitignore", "respected", gitignored),
    (
        "target",
        "--target-version 3.13t, 3.13,3.13t; 3.13: what a GIL lets run through is advice",
        both(
            gives(1, "scan", "--target-version", "3.13,3.13t"),
            gives(1, "scan", "--target-version", "3.13t"),
            gives(0, "scan", "--target-version", "3.13", says="1 below `warning`"),
            gives(2, "scan", "--target-version", "py313", says="3.13"),
        ),
    ),
    ("exit-zero", "-e/--exit-zero", gives(0, "scan", "-e")),
    ("exit-zero", "--fail-on LEVEL", gives(1, "scan", "--fail-on", "error")),
    (
        "thresholds",
        "--min-severity --min-confidence",
        gives(1, "scan", "--min-severity", "error", "--min-confidence", "high"),
    ),
    ("colour", "--color, NO_COLOR, FORCE_COLOR", colours),
    ("LSP", "racelint server", server),
    ("plugins", "entry point racelint.rules", plugin),
    ("python -m", "python -m racelint", gives(0, "--version", says="racelint, version")),
    ("py.typed", "shipped", lambda folder: _shipped("py.typed")),
    ("completion", "_RACELINT_COMPLETE=bash_source", gives(0, says="complete -o", _RACELINT_COMPLETE="bash_source")),
    ("pytest", "pytest --racelint", pytest_plugin),
    ("exit codes", "0 clean", gives(0, "scan", "--select", "RL2")),
    (
        "exit codes",
        "1 findings, unreadable files",
        both(gives(1, "scan"), commented("(", gives(1, "scan", says="RL900"))),
    ),
    ("exit codes", "2 usage, missing path", both(gives(2, "scan", "--no-such"), gives(2, "scan", "nowhere"))),
    (
        "exit codes",
        "2 nearest command, option, rule",
        both(
            gives(2, "scna", says="`racelint scan`"),
            gives(2, "scan", "--slect", "RL1", says="--select"),
            gives(2, "scan", "--select", "RL1O1", says="RL101"),
        ),
    ),
    (
        "manners",
        "-q/--quiet, -v/--verbose",
        both(
            gives(0, "scan", "-q", "--select", "RL2"),
            gives(1, "scan", "-v", says="racelint: project: "),
        ),
    ),
    ("manners", "a full disk is told", in_a_shell("racelint scan > /dev/full", 2, "No space left on device")),
    ("manners", "closed streams", in_a_shell("racelint scan >&- <&-", 1, "")),
    ("manners", "broken pipe", broken_pipe),
    ("manners", "--version within 60 ms of CPU", version_is_quick),
)


def _shipped(name: str) -> bool:
    import racelint

    return (Path(racelint.__file__).parent / name).is_file()


def main() -> int:
    failed = 0
    print(f"{'feature':<15} {'adopted':<72} {'':<8}")
    for feature, adopted, attempt in LINES:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            (folder / "race.py").write_text(RACE.format(comment=""))
            done = attempt(folder)
        failed += not done
        print(f"{feature:<15} {adopted[:72]:<72} {'done' if done else 'NOT DONE'}", flush=True)
    print(f"{len(LINES) - failed} of {len(LINES)} lines done; --version costs {startup() * 1000:.0f} ms of CPU more")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
