"""Records of code that stands in tests, and what runs beside them: a test runner calls one test after the other."""

from __future__ import annotations

from racelint.program.calling.calls import CallGraph
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.parallel.records import Record
from racelint.program.threads.test_cases import is_of_test_case, is_of_tests


def is_in_test(record: Record) -> bool:
    """Entered by a test: the test runner calls one after the other."""
    return is_of_tests(record.context.entry.function)


def is_outside_test(root: ThreadRoot, other: Record) -> bool:
    """The thread is a test's: what runs beside it is the test itself, not what users call elsewhere."""
    test = root.site_function
    chain = other.context.chain()
    if test is not None and is_of_test_case(test):
        return all(context.function is not test for context in chain)
    started_by_test = is_of_tests(root.target) or (test is not None and is_of_tests(test))
    return started_by_test and not any(is_of_tests(context.function) for context in chain)


def is_of_other_tests(root: ThreadRoot, function: FunctionInfo | None, calls: CallGraph) -> bool:
    """The thread is one that tests of another module start: each test has objects of its own."""
    test = root.site_function
    if test is None or function is None or function.module is test.module:
        return False
    called = any(site.caller.module is function.module for site in calls.incoming.get(test.id, ()))
    return is_of_tests(test) and is_of_tests(function) and not called


def is_stand_in(record: Record, root: ThreadRoot) -> bool:
    """Code of tests that a thread of the program runs: it stands in for something, with an object for each test."""
    started_by_test = root.site_function is not None and is_of_tests(root.site_function)
    return is_of_tests(record.access.function) and not is_of_tests(root.target) and not started_by_test


def are_stand_ins(left: Record, right: Record) -> bool:
    """Both are code of tests that threads of the program run, or a test itself beside one of these."""
    sides = (left, right)
    return all(is_of_tests(side.access.function) for side in sides) and all(
        is_stand_in(side, side.context.root) for side in sides if side.context.root is not None
    )
