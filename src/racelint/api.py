"""`racelint.explore` and `racelint.replay`: what a test or a script asks racelint for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Literal, TypeVar

import msgspec

from racelint.confirm.confirmation import replay as replay_string
from racelint.confirm.entries import Program, confirm_program
from racelint.confirm.errors import CannotRun
from racelint.confirm.settings import MEBIBYTE, Limits
from racelint.model.finding import Verdict
from racelint.report.style import Style
from racelint.report.verdicts import render_verdict

State = TypeVar("State")

WIDTH = 100
"""Columns of a printed result."""

_calls: dict[tuple[str, int], int] = {}
"""How often `explore` was called so far, by the program and the frame that runs it."""


class RaceFound(AssertionError):
    """Some interleaving goes wrong; the text shows it."""


class Inconclusive(AssertionError):
    """It could not be explored, so nothing can be said; the text says why."""


@dataclass(frozen=True)
class ExploreResult:
    """What came of an exploration. Prints as the interleaving that went wrong, or as what was explored.

    `verdict` has the outcome, the expected ones, the interpreters it can happen on and the replay string. A result is
    never a proof that code is safe: `ok` means that nothing went wrong within the bound that the verdict names.
    """

    target: str
    verdict: Verdict

    @property
    def status(self) -> str:
        """The verdict's word: confirmed, not-reproduced, benign, inconclusive or unsupported."""
        return self.verdict.status

    @property
    def reason(self) -> str:
        """What was explored, or why nothing could be."""
        return self.verdict.reason

    @property
    def confirmed(self) -> bool:
        """Whether some interleaving went wrong."""
        return self.verdict.status == "confirmed"

    @property
    def ok(self) -> bool:
        """Whether the search ran and nothing went wrong in it."""
        return self.verdict.status in ("not-reproduced", "benign")

    @property
    def schedule(self) -> str | None:
        """The replay string of the interleaving, for `racelint.replay` and `racelint replay`."""
        return self.verdict.schedule

    def check(self) -> ExploreResult:
        """Itself, if nothing went wrong. Raises RaceFound, or Inconclusive where it could not be explored."""
        __tracebackhide__ = True
        if self.confirmed:
            raise RaceFound(str(self))
        if self.verdict.status == "unsupported":
            raise Inconclusive(str(self))
        return self

    def replay(self) -> ExploreResult:
        """Run the interleaving again. Raises ValueError where there is none."""
        if self.schedule is None:
            raise ValueError("nothing went wrong, so there is nothing to replay")
        return replay(self.schedule)

    def to_json(self) -> str:
        """The result as JSON text, which `from_json` reads."""
        return msgspec.json.encode({"target": self.target, "verdict": self.verdict}).decode()

    @classmethod
    def from_json(cls, text: str) -> ExploreResult:
        """Undo `to_json`. Raises msgspec.ValidationError, msgspec.DecodeError."""
        return msgspec.json.decode(text, type=cls)

    def __str__(self) -> str:
        return "\n".join([self.target, *render_verdict(self.verdict, WIDTH, Style(colour=False))])


def explore(
    *,
    threads: Sequence[Callable[[State], Any]] | Sequence[Callable[[], Any]] = (),
    processes: Sequence[Callable[[State], Any]] | Sequence[Callable[[], Any]] = (),
    setup: Callable[[], State] | None = None,
    invariant: Callable[[State], Any] | Callable[[], Any] | None = None,
    serializable: bool | None = None,
    seconds: float = 10.0,
    schedules: int = 20_000,
    bound: int = 4,
    seed: int = 0,
    memory: int = 2048,
    python: str | None = None,
    interpreters: Literal["any", "gil"] = "any",
) -> ExploreResult:
    """Run `threads`, or `processes`, under every interleaving that the budget allows; look for one that goes wrong.

    Each execution calls `setup`, runs each of `threads` on a thread of its own, with what `setup` returned if it takes
    an argument, and then asks `invariant`: false or an exception means that it is broken. Exceptions and deadlocks are
    always wrong. Coroutine functions are tasks of one event loop, switched at their awaits alone. Where no invariant is
    given, or `serializable` is true, so is an outcome that no order of the threads one after the other gives.

    `processes` are real ones, forked from the one that calls `setup` and asks `invariant`: they share what lies in
    shared memory, in a manager or outside of Python, and nothing else. One of them at a time is held at one of its
    accesses while the others run. There is no deeper search, so `schedules`, `bound` and `seed` say nothing there.

    The script or test that makes the call is run once more up to it, in a process of its own with `memory` MiB, under
    the interpreter `python` (default: the project's environment). `seconds` and `schedules` end the search; up to
    `bound` preemptions are explored completely; with the `interpreters` "gil" only what CPython 3.10 or later can show
    with its GIL is wrong. Raises CannotRun where the caller cannot be run again: it has no file.
    """
    if not threads and not processes:
        raise ValueError("explore() needs at least one thread or process")
    if threads and processes:
        raise ValueError("explore() takes threads or processes, not both")
    functions = [function for function in (*threads, *processes, setup, invariant) if function is not None]
    program = replace(_program(functions), processes=bool(processes))
    limits = Limits(python, seconds, seconds, memory * MEBIBYTE, schedules, bound, seed, interpreters)
    root = _root(program.path)
    return ExploreResult(program.target(root), confirm_program(program, limits, root))


def explore_test(path: Path, test: str, *, root: Path, seconds: float = 10.0) -> ExploreResult:
    """Run one test under every interleaving of the threads that it starts. `test` is its node id without the path.

    Raises CannotRun.
    """
    program = Program(path.resolve(), test)
    return ExploreResult(program.target(root), confirm_program(program, Limits(budget=seconds, total=seconds), root))


def replay(schedule: str, *, seconds: float = 10.0, python: str | None = None) -> ExploreResult:
    """Run one recorded interleaving again, and search on from it for `seconds` where it goes right now.

    The paths in the string are looked for below the folders that the caller lies in. Raises BadReplay, CannotRun.
    """
    caller = sys._getframe(1).f_code.co_filename
    folders = [Path(caller).resolve().parent, Path.cwd()]
    roots = [above for folder in folders for above in (folder, *folder.parents)]
    target, verdict = replay_string(schedule, Limits(python, seconds), roots, then_search=True)
    return ExploreResult(target, verdict)


def _program(functions: Sequence[Callable[..., Any]]) -> Program:
    """The program that is running, up to this call of `explore`. Raises CannotRun for one that has no file."""
    frames = list(_frames(sys._getframe(2)))
    files = tuple(dict.fromkeys(Path(code.co_filename).resolve() for code in _codes(functions)))
    test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    if test:
        name, _, rest = test.partition("::")
        for frame in reversed(frames):
            path = Path(frame.f_code.co_filename)
            if path.as_posix().endswith(name):
                return Program(path.resolve(), rest, _count(test, frame), files=files)
    first = frames[-1]
    path = Path(first.f_code.co_filename)
    if first.f_globals.get("__name__") != "__main__" or not path.is_file():
        raise CannotRun("explore() works in a script that is run as a file, and in a test that pytest runs")
    return Program(path.resolve(), "", _count(str(path), first), tuple(sys.argv[1:]), files)


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _codes(functions: Sequence[Callable[..., Any]]) -> Iterator[CodeType]:
    for function in functions:
        inner = getattr(function, "func", function)
        code = getattr(inner, "__code__", None)
        if code is not None and not code.co_filename.startswith("<"):
            yield code


def _count(program: str, frame: FrameType) -> int:
    """The number of this call among those that one run of the program makes."""
    key = (program, id(frame))
    for other in [known for known in _calls if known[0] == program and known != key]:
        del _calls[other]
    _calls[key] = _calls.get(key, 0) + 1
    return _calls[key]


def _root(path: Path) -> Path:
    from racelint.engine.scan import root_of

    return Path(root_of([str(path)], str(Path.cwd())))
