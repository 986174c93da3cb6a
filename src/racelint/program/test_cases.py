"""Test cases: objects of their own, whose methods a test runner calls one after the other."""

from __future__ import annotations

from racelint.program.index import FunctionInfo

_TEST_CASES = frozenset(
    {"unittest.TestCase", "unittest.IsolatedAsyncioTestCase", "unittest.case.TestCase", "django.test.TestCase"}
)


_FOLDERS = frozenset({"test", "tests", "testing"})


def is_of_tests(function: FunctionInfo) -> bool:
    """Whether the function is a test case's, or stands in a package of tests or of what tests are made with."""
    return is_of_test_case(function) or not _FOLDERS.isdisjoint(function.module.name.split("."))


def is_of_test_case(function: FunctionInfo) -> bool:
    """Whether the function is a method of a test case, or stands in one."""
    cls = function.cls
    outer = function
    while cls is None and outer.ir.parent:
        outer = outer.module.functions[outer.ir.parent]
        cls = outer.cls
    return cls is not None and not _TEST_CASES.isdisjoint(cls.all_external_bases())
