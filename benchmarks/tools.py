"""The tools that are compared, each run by its own command line, its answers kept per tree."""

from __future__ import annotations

import compileall
import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from packages import CACHE, REPOSITORY

LIMIT = 1800
"""Seconds a scan may take."""


@dataclass(frozen=True)
class Hit:
    """One finding of a tool; `path` is relative to the folder that the scan ran in."""

    path: str
    line: int
    code: str
    severity: str
    symbol: str
    subject: str
    message: str
    evidence: str = ""


@dataclass(frozen=True)
class Answer:
    """What a tool said of one part; `seconds` is CPU time of the process and its children, `memory` its peak in bytes.

    `failure` is what it printed where it crashed or could not do the job.
    """

    hits: tuple[Hit, ...]
    seconds: float
    memory: int = 0
    failure: str = ""


class Tool:
    """A tool: `version` decides which kept answers still hold."""

    name = ""
    grave: frozenset[str] = frozenset()
    """The severities that count."""

    def version(self) -> str:
        raise NotImplementedError

    def run(self, part: Path, base: Path) -> Answer:
        raise NotImplementedError

    def scan(self, part: Path, base: Path | None = None) -> Answer:
        """The answer for `part`, run in `base` (its folder); from the cache where this version has scanned it."""
        key = hashlib.blake2b(str(part).encode(), digest_size=8).hexdigest()
        kept = CACHE / "answers" / f"{self.name}-{self.version()}" / f"{part.name}-{key}.json"
        if kept.is_file():
            return load(json.loads(kept.read_text()))
        answer = self.run(part, base or part.parent)
        if answer.failure:
            return answer
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False) as file:
            json.dump(asdict(answer), file)
        Path(file.name).replace(kept)
        return answer


def load(fields: dict[str, Any]) -> Answer:
    return Answer(tuple(Hit(**hit) for hit in fields.pop("hits")), **fields)


class Racelint(Tool):
    """racelint as it stood when the benchmark began: a copy is run, so that edits meanwhile change nothing.

    `thread_safe`: what its configuration declares; without, it runs as it comes.
    """

    name = "racelint"
    grave = frozenset({"error", "warning"})

    def __init__(self, thread_safe: tuple[str, ...] = ()) -> None:
        self._thread_safe = thread_safe
        self._version = fingerprint(REPOSITORY / "src" / "racelint")
        self._snapshot = snapshot(REPOSITORY / "src" / "racelint", self._version)

    def version(self) -> str:
        declared = "".join(f"+{name}" for name in self._thread_safe)
        return self._version + (hashlib.blake2b(declared.encode(), digest_size=8).hexdigest() if declared else "")

    def run(self, part: Path, base: Path) -> Answer:
        command = [sys.executable, "-m", "racelint", "scan", part.relative_to(base).as_posix()]
        with tempfile.TemporaryDirectory() as folder:
            settings = Path(folder, "racelint.toml")
            settings.write_text(f"[contracts]\nthread-safe = {json.dumps(self._thread_safe)}\n")
            configuration = ["--config", str(settings)] if self._thread_safe else ["--isolated"]
            words = [*command, *configuration, "--no-cache", "--output-format", "json", "-j1"]
            done, seconds, memory = measured(words, base, self._snapshot)
        try:
            answer = json.loads(done.stdout)
        except ValueError:
            return Answer((), seconds, memory, (done.stderr or done.stdout)[-500:] or f"exit {done.returncode}")
        hits = tuple(
            Hit(
                path=finding["path"],
                line=finding["line"],
                code=finding["code"],
                severity=finding["severity"],
                symbol=finding["symbol"] or "",
                subject=finding["subject"] or "",
                message=finding["message"],
                evidence=finding["evidence"] or "",
            )
            for finding in answer["findings"]
        )
        failure = "; ".join(f"{e['path'] or ''} {e['message']}".strip() for e in answer["errors"])
        return Answer(hits, seconds, memory, failure)


class Threadcheck(Tool):
    """threadcheck, which needs Python 3.12."""

    name = "threadcheck"
    grave = frozenset({"error", "warning", "critical", "high", "medium"})

    def version(self) -> str:
        return "0.0.1.2"

    def run(self, part: Path, base: Path) -> Answer:
        python = environment("threadcheck==0.0.1.2", newer_python())
        with tempfile.TemporaryDirectory() as folder:
            copied = copy_of(part, Path(folder))
            report = Path(folder, "report.json")
            words = [str(python.parent / "threadcheck"), "scan", "--json", "-q", "-o", str(report), part.name]
            done, seconds, memory = measured(words, copied.parent)
            if not report.is_file():
                return Answer((), seconds, memory, done.stderr[-500:] or done.stdout[-500:])
            answer = json.loads(report.read_text())
        hits = tuple(
            Hit(below(f["file"], copied), f["line"], f["category"], f["severity"], "", "", f["message"]) for f in answer
        )
        return Answer(hits, seconds, memory)


class ThreadSafety(Tool):
    name = "thread-safety"
    grave = frozenset({"critical", "high", "medium", "low"})

    def version(self) -> str:
        return "0.4.0"

    def run(self, part: Path, base: Path) -> Answer:
        python = environment("thread-safety==0.4.0", sys.executable)
        with tempfile.TemporaryDirectory() as folder:
            copied = copy_of(part, Path(folder))
            report = Path(folder, "report.json")
            words = [str(python.parent / "thread-safety"), "analyze", "-o", "json", "-f", str(report), part.name]
            done, seconds, memory = measured(words, copied.parent)
            if not report.is_file():
                return Answer((), seconds, memory, done.stderr[-500:] or done.stdout[-500:])
            answer = json.loads(report.read_text(), strict=False)
        hits = tuple(
            Hit(
                below(f["location"]["file"], copied),
                f["location"]["line"],
                f["rule_id"],
                f["severity"],
                "",
                "",
                f["message"],
            )
            for f in answer["findings"]
        )
        return Answer(hits, seconds, memory)


def copy_of(part: Path, folder: Path) -> Path:
    """`part` copied into `folder`: threadcheck passes over whatever lies below a hidden folder, as our cache does."""
    to = folder / "tree" / part.name
    if part.is_dir():
        shutil.copytree(part, to)
    else:
        to.parent.mkdir()
        shutil.copy(part, to)
    return to


def below(file: str, part: Path) -> str:
    """`file` as a tool gave it, absolute or relative, relative to the folder that `part` stands in."""
    return Path(os.path.relpath(part.parent / file, part.parent)).as_posix()


def measured(
    words: list[str], folder: Path, modules: Path | None = None
) -> tuple[subprocess.CompletedProcess[str], float, int]:
    """Run a command with `modules` on its import path; with its CPU seconds and peak memory, both with its children."""
    environ = {**os.environ, "PYTHONPATH": str(modules)} if modules else None
    script = Path(__file__).with_name("measure.py")
    with tempfile.NamedTemporaryFile() as report:
        command = [sys.executable, str(script), report.name, *words]
        begun = time.monotonic()
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environ,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            failed = subprocess.CompletedProcess(command, -1, "", f"no answer in {LIMIT} seconds")
            return failed, time.monotonic() - begun, 0
        seconds, memory = Path(report.name).read_text().split()
    return done, float(seconds), int(memory)


def fingerprint(package: Path, but: frozenset[str] = frozenset({"agent", "confirm", "report"})) -> str:
    """A name for the state of the sources, without the subpackages that nothing depends on: those of a scan."""
    digest = hashlib.blake2b(digest_size=8)
    for file in sorted(package.rglob("*.py")):
        relative = file.relative_to(package)
        if relative.parts[0] not in but:
            digest.update(str(relative).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


_COPYING = threading.Lock()
"""Held while a snapshot is made: bugs are scored on several threads."""


def snapshot(package: Path, version: str) -> Path:
    """A folder with a copy of the package as it stands now, so that edits meanwhile change nothing."""
    folder = CACHE / "snapshots" / version
    with _COPYING:
        if not folder.exists():
            part = folder.with_name(f"{version}.part-{os.getpid()}")
            shutil.copytree(package, part / package.name)
            compileall.compile_dir(part, quiet=1)
            try:
                part.rename(folder)
            except OSError:  # another benchmark, begun at once, has put its copy there
                shutil.rmtree(part)
    return folder


@functools.cache
def environment(requirement: str, python: str) -> Path:
    """The interpreter of a virtual environment with `requirement` in it, made on first use."""
    folder = CACHE / "venvs" / requirement.partition("==")[0]
    interpreter = folder / "bin" / "python"
    if not (folder / "ready").exists():
        subprocess.run([python, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(interpreter), "-m", "pip", "install", "-q", "--disable-pip-version-check", requirement]
        subprocess.run(pip, check=True)
        (folder / "ready").touch()
    return interpreter


@functools.cache
def newer_python() -> str:
    """An interpreter of 3.12 or later: our own, one on PATH, or one of pyenv's."""
    if sys.version_info >= (3, 12):
        return sys.executable
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    on_path = [shutil.which(name) for name in ("python3.12", "python3.13", "python3.14")]
    for candidate in (*on_path, *map(str, sorted(versions.glob("3.1[2-9].*/bin/python")))):
        if candidate and subprocess.run([candidate, "-c", ""], capture_output=True, check=False).returncode == 0:
            return candidate
    raise RuntimeError("threadcheck needs Python 3.12 or later, and none was found")
