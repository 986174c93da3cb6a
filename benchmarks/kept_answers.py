"""Answers that take a while: each is worked out in a process of its own and kept until what it rests on changes."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packages import CACHE


class NoAnswer(Exception):
    """A process that ended without one, or was ended; with why."""


@dataclass(frozen=True)
class KeptAnswers:
    """The answers of one state of the sources, in a folder of the cache; `modules` goes on the import path."""

    folder: Path
    modules: Path

    @classmethod
    def named(cls, name: str, version: str, modules: Path) -> KeptAnswers:
        return cls(CACHE / "answers" / f"{name}-{version}", modules)

    def answer(self, name: str, rests_on: Iterable[Path], command: Sequence[str], limit: float) -> bytes:
        """What the command writes into the file named after its last word. Raises NoAnswer, which is not kept.

        It is kept under `name` for as long as the files it `rests_on` stay as they are. After `limit` seconds the
        process is ended with its children.
        """
        kept = self.folder / f"{name}-{_digest(rests_on)}"
        if not kept.is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                fresh = Path(scratch, "answer")
                _run([*command, str(fresh)], self.modules, limit)
                if not fresh.is_file():
                    raise NoAnswer("it wrote nothing")
                fresh.replace(kept)
        return kept.read_bytes()


def _run(command: Sequence[str], modules: Path, limit: float) -> None:
    with tempfile.TemporaryFile() as said:  # a pipe would stay open in a grandchild that lives on
        process = subprocess.Popen(
            command,
            env={**os.environ, "PYTHONPATH": str(modules)},
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            raise NoAnswer(f"no answer in {limit:g} s") from None
        finally:
            _end(process)
        if code:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise NoAnswer(lines[-1] if lines else f"exit {code}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is left of the session that it leads."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.blake2b(digest_size=8)
    for file in files:
        digest.update(file.name.encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()
