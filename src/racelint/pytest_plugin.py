"""`pytest --racelint`: each finding of the project is a test that fails.

`--racelint-explore`: so is each test that some interleaving of its threads breaks. `--racelint-record`: what the tests
pass to the project's functions is kept for `racelint confirm`.

Loaded in every run of pytest where racelint is installed, so it imports nothing of racelint until it is asked to.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from racelint.model.finding import Finding
    from racelint.model.result import ScanResult


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--racelint`, and what to scan."""
    group = parser.getgroup("racelint")
    group.addoption("--racelint", action="store_true", help="Fail for race conditions and lock misuse in the project.")
    group.addoption(
        "--racelint-path", action="append", metavar="PATH", help="Scan this instead of the whole project; repeatable."
    )
    group.addoption(
        "--racelint-explore",
        action="store_true",
        help="Run each test under the interleavings of the threads that it starts, in a process of its own.",
    )
    group.addoption(
        "--racelint-record",
        action="store_true",
        help="Keep what the tests pass to the project's code: `racelint confirm` builds objects with the same.",
    )
    group.addoption(
        "--racelint-seconds", type=float, default=10.0, metavar="SECONDS", help="How long to explore each. [10]"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Listen to the calls of the tests, where asked to."""
    if config.getoption("racelint_record"):
        from racelint.pytest_recording import Recording

        config.pluginmanager.register(Recording(config), "racelint-recording")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let the tests be explored, and add one for each finding; one that passes where there is none."""
    if config.getoption("racelint_explore"):
        for item in items:
            # Its fixtures are set up where it runs, which is not here.
            item.setup = lambda: None  # type: ignore[method-assign]
            item.runtest = partial(_explore, item, config)  # type: ignore[method-assign]
    if config.getoption("racelint"):
        items.extend(_tests(session, config))


class FindingTest(pytest.Item):
    """A finding, or an error of the scan, as a test that fails with its report; without one, a test that passes."""

    def __init__(self, *, report: str, place: tuple[Path, int], **attributes: Any) -> None:
        super().__init__(**attributes)
        self._report = report
        self._place = place

    def runtest(self) -> None:
        """Fail with the report, if there is one."""
        if self._report:
            pytest.fail(self._report, pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the finding is, for the summary."""
        return self._place[0], self._place[1] - 1, self.name


def _tests(session: pytest.Session, config: pytest.Config) -> Iterator[FindingTest]:
    root = config.rootpath
    result, findings = _scanned(root, config.getoption("racelint_path") or ["."])
    for problem in result.errors:
        report = f"{problem.path}: {problem.message}" if problem.path else problem.message
        yield FindingTest.from_parent(session, name=f"racelint[{problem.kind}]", report=report, place=(root, 1))
    for finding in findings:
        name = f"racelint[{finding.code}-{finding.path}:{finding.line}:{finding.column}]"
        place = (root / finding.path, finding.line)
        yield FindingTest.from_parent(session, name=name, report=_text(finding, result), place=place)
    if not findings and not result.errors:
        yield FindingTest.from_parent(session, name="racelint", report="", place=(root, 1))


def _scanned(root: Path, paths: list[str]) -> tuple[ScanResult, tuple[Finding, ...]]:
    """The result of the scan, and the findings that fail a run."""
    from racelint.config.hierarchy import load_hierarchy
    from racelint.config.load import ConfigError
    from racelint.engine.scan import ScanOptions, common_folder, scan
    from racelint.engine.selection import unknown_selectors
    from racelint.engine.threshold import above

    try:
        hierarchy = load_hierarchy(common_folder(paths, str(root)), check=unknown_selectors)
        result = scan(paths, ScanOptions(hierarchy=hierarchy), str(root))
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None
    settings = hierarchy.base.settings
    least = settings.fail_on or settings.min_severity or "warning"
    return result, above(result, least, settings.min_confidence).findings


def _text(finding: Finding, result: ScanResult) -> str:
    """The finding as a scan shows it, without the counts."""
    import msgspec

    from racelint.report.full import render
    from racelint.report.view import View

    alone = msgspec.structs.replace(result, findings=(finding,))
    return render(View(alone)).rpartition("\n\n")[0]


def _explore(item: pytest.Item, config: pytest.Config) -> None:
    __tracebackhide__ = True
    from racelint.api import explore_test
    from racelint.confirm import CannotRun

    try:
        result = explore_test(
            item.path,
            item.nodeid.partition("::")[2],
            root=config.rootpath,
            seconds=config.getoption("racelint_seconds"),
        )
    except CannotRun as error:
        pytest.fail(f"racelint: {error}", pytrace=False)
    if result.confirmed:
        pytest.fail(str(result), pytrace=False)
    if result.verdict.status == "unsupported":
        pytest.skip(f"racelint: {result.verdict.reason}")
    item.add_report_section("call", "racelint", f"{result.verdict.status}: {result.verdict.reason}")
