"""What the page shows around the findings, gathered from a scan."""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import partial

import msgspec

from racelint.engine.collector import collector_paused
from racelint.engine.scan import Scanned
from racelint.engine.scope import Scope
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.unreadable import UnreadableFile
from racelint.engine.worker import describe
from racelint.model.overview import Coverage, Overview
from racelint.model.result import Problem, ScanResult
from racelint.program import link
from racelint.program.lock_use.locked_lines import locked_lines
from racelint.program.lock_use.order_map import lock_edges
from racelint.program.races.guard_map import guard_map


def with_overview(result: ScanResult, found: Scanned, paths: Sequence[str]) -> ScanResult:
    """`result`, which came of scanning `paths`, with what its page shows around the findings.

    The program is linked once more, so that a scan that no page is made of need not keep it.
    """
    with collector_paused():
        try:
            overview = call_with_deep_stack(partial(_overview, result, found, paths))
        except Exception as error:
            problem = Problem("internal", f"the overview failed: {describe(error)}")
            return msgspec.structs.replace(result, errors=(*result.errors, problem))
    return msgspec.structs.replace(result, overview=overview)


def _overview(result: ScanResult, found: Scanned, paths: Sequence[str]) -> Overview:
    summaries = found.summaries
    program = link(summaries, found.settings)
    places = {(finding.path, finding.line) for finding in result.findings}
    places |= {(step.path, step.line) for finding in result.findings for step in finding.trace}
    unread = {finding.path for finding in result.findings if finding.code == UnreadableFile.code}
    coverage = _coverage(found.scope, paths, {file.display for file, _ in summaries}, unread)
    return Overview(coverage, guard_map(program), lock_edges(program), locked_lines(program, places))


def _coverage(scope: Scope, paths: Sequence[str], linked: Set[str], unread: Set[str]) -> Coverage:
    """The coverage of `scope`: what is relevant and not `linked` could not be read, whether that is reported or not."""
    failed = {
        file.display: None
        for file in scope.files
        if file.display in unread
        or file.path in scope.unreadable
        or (file.path in scope.relevant and file.display not in linked)
    }
    read = [file for file in scope.files if file.path in scope.sources and file.display not in failed]
    asked = [file for file in read if file.reported]
    return Coverage(
        paths=tuple(paths),
        analysed=tuple(file.display for file in asked if file.path in scope.relevant),
        quiet=tuple(file.display for file in asked if file.path not in scope.relevant),
        context=tuple(file.display for file in read if not file.reported and file.path in scope.relevant),
        unreadable=tuple(failed),
    )
