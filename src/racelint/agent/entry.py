"""Runs the user's own script or test up to what is to be explored: a call of `racelint.explore`, or the whole test."""

from __future__ import annotations

import importlib
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from . import points
from .answer import Answer, answer_of
from .control import Control
from .live import LiveSubject, Request, TestSubject
from .loader import InstrumentingFinder
from .subject import Subject

QUIET = ("cacheprovider", "threadexception", "unraisableexception", "logging", "faulthandler", "racelint", "timeout")
"""Plugins of pytest that would see, or take, what the search has to see."""


class Entry:
    """One run of the user's program. `explore` searches a subject, `deliver` writes the answer and ends the process."""

    def __init__(
        self,
        scenario: dict[str, Any],
        control: Control,
        finder: InstrumentingFinder,
        explore: Callable[[Callable[[], Subject]], Answer],
        deliver: Callable[[Answer], None],
    ) -> None:
        self.scenario = scenario
        self.control = control
        self.finder = finder
        self.explore = explore
        self.deliver = deliver
        self.calls = 0

    def run(self) -> Answer:
        """Run it. Returns only where it does not come to what is to be explored."""
        sys.modules["racelint"] = self._api()
        self.finder.pinned = self.finder.traced = True
        self.finder.use(points.idle())
        self.finder.compile(self.finder.paths[0])
        sys.argv[0] = self.scenario["path"]
        exec(self.scenario["setup"], {})
        try:
            problem = self._run_test() if self.scenario["test"] else self._run_script()
        except SystemExit:
            problem = "it ended"
        except BaseException as error:
            problem = f"it failed: {type(error).__name__}: {error}"
        return answer_of("unsupported", reason=f"the call of `racelint.explore` was not reached: {problem}")

    def _api(self) -> types.ModuleType:
        """What the program sees as racelint: the call that is wanted is explored, and those before it are passed."""
        module = types.ModuleType("racelint", "racelint, as seen by a program that it explores")
        vars(module).update(explore=self._called, replay=lambda *args, **kwargs: Passed(), RaceFound=AssertionError)
        return module

    def _called(self, **given: Any) -> Passed:
        self.calls += 1
        if self.calls == self.scenario["call"]:
            wanted = {name: given.get(name) for name in ("setup", "invariant", "serializable")}
            functions = given.get("threads") or given.get("processes") or ()
            self.deliver(self.answer_to(Request(list(functions), **wanted)))
        return Passed()

    def answer_to(self, request: Request) -> Answer:
        """What comes of the functions of a call."""
        return self.explore(lambda: LiveSubject(self.scenario, self.control, self.finder, request))

    def _run_script(self) -> str:
        self.finder.run_script(self.scenario["path"])
        return "the script ended before"

    def _run_test(self) -> str:
        """Let pytest collect the test and set up what it needs, and take over where it would be run."""
        try:
            pytest: Any = importlib.import_module("pytest")
        except ImportError:
            return "pytest is not installed there"
        os.environ.pop("PYTEST_ADDOPTS", None)
        name = f"{self.scenario['path']}::{self.scenario['test']}"
        options = [part for plugin in QUIET for part in ("-p", f"no:{plugin}")]
        taken = TakenOver(self)
        pytest.main([name, "-s", "--assert=plain", "-o", "addopts=", *options], plugins=[taken])
        return taken.problem

    def explore_item(self, item: Any) -> None:
        """Explore a whole test."""
        run = TestRun(item)
        self.deliver(self.explore(lambda: TestSubject(self.scenario, self.control, self.finder, run)))


class TakenOver:
    """A plugin of pytest that stands in for its loop over tests."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.problem = "pytest collected no such test"

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            *_, last = str(report.longrepr).strip().splitlines() or [""]
            self.problem = f"pytest cannot collect it: {last.removeprefix('E').strip()}"

    def pytest_runtestloop(self, session: Any) -> bool:
        if not session.items:
            return True
        if self.entry.scenario["call"]:
            self.problem = "the test ended before"
            TestRun(session.items[0])()
        else:
            self.entry.explore_item(session.items[0])
        return True


class TestRun:
    """Runs one collected test with its fixtures, as often as it is called; raises what the test raises."""

    def __init__(self, item: Any) -> None:
        self.item = item

    def __call__(self) -> None:
        item = self.item
        if hasattr(item, "_request") and not item._request:
            item._initrequest()
        try:
            item.ihook.pytest_runtest_setup(item=item)
            item.ihook.pytest_runtest_call(item=item)
        finally:
            item.ihook.pytest_runtest_teardown(item=item, nextitem=None)
            item._request = False
            item.funcargs = None


class Passed:
    """What a call of `racelint.explore` returns that is not the one to explore: nothing was found."""

    ok = True
    confirmed = False
    target = ""
    schedule = None
    verdict = types.SimpleNamespace(
        status="not-reproduced", effect=None, schedule=None, schedules_run=0, interpreters={}, outcome=None,
        expected=(), reason="", witness=None,
    )  # fmt: skip

    def check(self) -> Passed:
        return self

    def replay(self) -> Passed:
        return self

    def to_json(self) -> str:
        return "{}"
