"""Test cases: objects of their own, whose methods a test runner calls one after the other."""

from __future__ import annotations

from collections.abc import Iterable

from racelint.model.summary import Path
from racelint.program.calling.calls import CallGraph
from racelint.program.names.index import FunctionInfo, ModuleInfo
from racelint.program.names.thread_root import ThreadRoot

_TEST_CASES = frozenset(
    {"unittest.TestCase", "unittest.IsolatedAsyncioTestCase", "unittest.case.TestCase", "django.test.TestCase"}
)


_FOLDERS = frozenset({"test", "tests", "testing"})
_STARTED_BY_TESTS = frozenset({"thread", "timer", "pool", "handler"})
_TEAR_DOWNS = frozenset(
    {"tearDown", "tearDownClass", "asyncTearDown", "teardown", "teardown_method", "teardown_class", "teardown_function"}
)


def is_of_tests(function: FunctionInfo) -> bool:
    """Whether the function is a test case's, or stands in tests or in what they are made with."""
    known = function.of_tests
    if known is None:
        module = function.module
        known = function.of_tests = is_of_test_case(function) or _are_tests(module.name) or _holds_tests(module)
    return known


def _are_tests(module: str) -> bool:
    return not _FOLDERS.isdisjoint(module.split("."))


def _holds_tests(module: ModuleInfo) -> bool:
    """`test_locks.py` with a `test_…` in it, and not the `test_data.py` that a library gives to its users."""
    named = module.name.rpartition(".")[2].startswith("test_")
    return named and any(name.rpartition(".")[2].startswith("test_") for name in module.functions)


def is_tear_down(function: FunctionInfo) -> bool:
    """Whether it puts away what a test has made, once that is over and its threads are."""
    return function.ir.name in _TEAR_DOWNS and is_of_tests(function)


def is_own_of_test(path: Path, function: FunctionInfo) -> bool:
    """Whether a test made for itself what hangs from the path: where the test fails, that is gone with it."""
    return path[0].startswith(("v:", "c:")) and function.ir.name.startswith("test") and is_of_tests(function)


def arranges(function: FunctionInfo, owner: str) -> bool:
    """Whether a test takes a lock of the program that it tests, kept by `owner` (`module:name`), to see what comes."""
    module = owner.partition(":")[0]
    own = module == function.module.name and _holds_tests(function.module)
    return is_of_tests(function) and not _are_tests(module) and not own


class TestStarts:
    """Which threads the tests of a module start, themselves or through what they call."""

    __test__ = False

    def __init__(self, calls: CallGraph, roots: Iterable[ThreadRoot] = ()) -> None:
        self.calls = calls
        self._asking = {root.site_function.module for root in roots if root.site_function is not None}
        self._reached: dict[str, frozenset[str]] = {}

    def may_start(self, test: FunctionInfo, root: ThreadRoot) -> bool:
        """Whether a test of the module of `test` comes to the start of a thread that is none of the tests' own.

        A server that the program has beside its tests runs while none of them does.
        """
        if is_of_tests(root.target) or root.kind not in _STARTED_BY_TESTS:
            return True
        starter = root.site_function
        return starter is not None and (is_of_tests(starter) or starter.id in self._reached_from(test.module))

    def is_asked_in_turn(self, root: ThreadRoot) -> bool:
        """Whether it is the server of a test that has no threads to ask it with: one request follows the other."""
        return root.kind == "handler" and is_of_tests(root.target) and root.target.module not in self._asking

    def are_strangers(self, root: ThreadRoot, function: FunctionInfo) -> bool:
        """A test's code that a thread runs which tests of another module start, who have nothing to do with it."""
        test = root.site_function
        if test is None or test.module is function.module or not (is_of_tests(test) and is_of_tests(function)):
            return False
        return not any(
            site.callee.module is function.module and not site.weak
            for mine in test.module.functions.values()
            for site in self.calls.outgoing[mine.id]
        )

    def _reached_from(self, module: ModuleInfo) -> frozenset[str]:
        known = self._reached.get(module.name)
        if known is None:
            pending = list(module.functions.values())
            found = {function.id for function in pending}
            while pending:
                for site in self.calls.outgoing[pending.pop().id]:
                    if site.callee.id not in found:
                        found.add(site.callee.id)
                        pending.append(site.callee)
            known = self._reached[module.name] = frozenset(found)
        return known


def is_of_test_case(function: FunctionInfo) -> bool:
    """Whether the function is a method of a test case, or stands in one."""
    cls = function.cls
    outer = function
    while cls is None and outer.ir.parent:
        outer = outer.module.functions[outer.ir.parent]
        cls = outer.cls
    return cls is not None and not _TEST_CASES.isdisjoint(cls.all_external_bases())
