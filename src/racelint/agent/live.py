"""Scenarios made of live functions: what the user's own program hands to `racelint.explore`, or a test of theirs.

Their modules are imported once and stay: functions that are already held cannot be made afresh. What can be written
back of the modules' state is written back before each execution, and all code is of the traced kind.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
from collections.abc import Callable
from typing import Any

from .control import Control
from .loader import InstrumentingFinder
from .observed import Parts
from .snapshot import Snapshot
from .subject import Subject

LONGEST_LABEL = 60


class Request:
    """The arguments of one call of `racelint.explore`."""

    def __init__(
        self,
        threads: list[Callable[..., Any]],
        setup: Callable[[], Any] | None,
        invariant: Callable[..., Any] | None,
        serializable: bool | None,
    ) -> None:
        self.threads = threads
        self.setup = setup
        self.invariant = invariant
        self.compares = serializable if serializable is not None else invariant is None


class LiveSubject(Subject):
    """Threads, or tasks, that run the functions of a request, each on what its set-up returned."""

    is_own = True

    def __init__(
        self, scenario: dict[str, Any], control: Control, finder: InstrumentingFinder, request: Request
    ) -> None:
        labels = labels_of(request.threads)
        operations = [{"label": label, "source": ""} for label in labels]
        super().__init__({**scenario, "kind": "threads", "operations": operations}, control, finder)
        self._request = request
        self._shared: tuple[Any, ...] = ()
        self.compares = request.compares
        self.has_invariant = request.invariant is not None
        finder.keep()

    def trace(self, traced: bool) -> None:
        """All code is traced."""

    def _bind(self, helpers: dict[str, Any]) -> None:
        self.namespace = {}
        if self._request.setup is not None:
            self._shared = (self._called(self._request.setup),)
            self.namespace["state"] = self._shared[0]

    def _bodies(self, helpers: dict[str, Any]) -> list[Callable[[], Any]]:
        return [functools.partial(self._called, thread) for thread in self._request.threads]

    def _called(self, function: Callable[..., Any]) -> Any:
        """What the function returns, or its coroutine: all of them are tasks of one event loop."""
        given = () if function is self._request.setup else accepted(function, self._shared)
        result = function(*given)
        run_task = self.control.run_task
        return run_task(result) if inspect.iscoroutine(result) and run_task is not None else result

    def _holds(self) -> bool:
        invariant = self._request.invariant
        assert invariant is not None
        try:
            answer = self._called(invariant)
        except Exception:
            return False
        return answer is None or bool(answer)


class TestSubject(Subject):
    """A whole test, which starts its own threads."""

    is_own = True

    def __init__(
        self, scenario: dict[str, Any], control: Control, finder: InstrumentingFinder, run: Callable[[], None]
    ) -> None:
        super().__init__({**scenario, "kind": "program"}, control, finder)
        self._run_test = run
        self.compares = False
        finder.keep()

    def trace(self, traced: bool) -> None:
        """All code is traced."""

    def _bind(self, helpers: dict[str, Any]) -> None:
        self.namespace = {}

    def _bodies(self, helpers: dict[str, Any]) -> list[Callable[[], Any]]:
        return [self._run_test]

    def _state(self, snapshot: Snapshot) -> Parts:
        return []  # the test says itself what must hold


def accepted(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments if the function takes them, else none."""
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return ()
    except ValueError:  # a function of C code that does not say
        return arguments
    return arguments


def labels_of(threads: list[Callable[..., Any]]) -> list[str]:
    """What people call each thread: the function's name, or what a lambda computes."""
    return [_label(number, function) for number, function in enumerate(threads, 1)]


def _label(number: int, function: Callable[..., Any]) -> str:
    inner = getattr(function, "func", function)
    name = str(getattr(inner, "__name__", type(inner).__name__))
    code = getattr(inner, "__code__", None)
    if name != "<lambda>" or code is None:
        return name
    text = _body_of_lambda(code)
    return text if 0 < len(text) <= LONGEST_LABEL else f"thread {number}"


def _body_of_lambda(code: Any) -> str:
    """The source of what the lambda computes, "" where it is not certain which one it is."""
    try:
        tree = ast.parse("".join(linecache.getlines(code.co_filename)))
    except SyntaxError:
        return ""
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and node.lineno == code.co_firstlineno]
    if len(found) > 1 and hasattr(code, "co_positions"):
        column = max(start or 0 for _, _, start, _ in code.co_positions())
        found = [node for node in found if node.body.col_offset <= column <= (node.body.end_col_offset or 0)]
    return ast.unparse(found[0].body) if len(found) == 1 else ""
