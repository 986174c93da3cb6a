"""`racelint fix`: apply the fixes of findings, or show what they would change."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from racelint.cli.options import (
    color_option,
    configuration_options,
    file_options,
    fix_options,
    hierarchy_for,
    proof_options,
    rule_options,
    scan_options,
    talk_options,
    without_known,
)
from racelint.cli.output import (
    EXIT_CLEAN,
    EXIT_COULD_NOT_RUN,
    EXIT_FINDINGS,
    complain,
    deliver_bytes,
    give_account,
    style_for,
)
from racelint.cli.progress import sign_of_life
from racelint.cli.sections import SectionedCommand, section
from racelint.config.hierarchy import Hierarchy
from racelint.engine.fixing import fixed, write_changes
from racelint.engine.progress import Progress
from racelint.engine.scan import root_of
from racelint.engine.threshold import above
from racelint.model.finding import Severity
from racelint.model.fix import Applicability
from racelint.model.mended import FixResult
from racelint.model.result import CannotScan, Problem, ScanResult


@click.command(cls=SectionedCommand)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@fix_options
@proof_options
@rule_options
@file_options
@section("Report", color_option)
@talk_options
@configuration_options
def command(paths: tuple[str, ...], color: str, **options: Any) -> int:
    """Put findings in PATHs right (default: the working directory), where a fix is known and safe.

    A fix is tried on a copy first: its finding must be gone, and no other may have come. With --confirm, the schedule
    that broke the code is run again on the copy, and the search repeated: the race is gone, or nothing is changed.
    """
    given = paths or (".",)
    begin = time.monotonic()
    try:
        hierarchy = hierarchy_for(given, options)
        with sign_of_life("fixing") as progress:
            result = fix_result(given, hierarchy, options, progress)
    except CannotScan as error:
        complain(ScanResult((), errors=(Problem("configuration", str(error)),)))
        return EXIT_COULD_NOT_RUN
    code, remaining = finish_fixing(result, options, color)
    if options["verbose"]:
        give_account(remaining, hierarchy, root_of(given, os.getcwd()), time.monotonic() - begin)
    complain(remaining, quiet=options["quiet"])
    return code


def fix_result(paths: Sequence[str], hierarchy: Hierarchy, options: dict[str, Any], progress: Progress) -> FixResult:
    """What fixing comes to, nothing written yet. Raises ConfigError, BadBaseline.

    Findings as grave as a scan shows are fixed; advice (severity info) too where rules were selected by name.
    """
    settings = hierarchy.base.settings
    allowed: tuple[Applicability, ...] = ("safe", "unsafe") if options["unsafe_fixes"] else ("safe",)
    least: Severity = settings.min_severity or ("info" if options["select"] else "warning")
    return fixed(
        paths,
        scan_options(hierarchy, options, progress),
        allowed,
        lambda result: above(without_known(result, paths, settings), least, settings.min_confidence).findings,
        settings.proving if options["confirm"] else None,
        os.getcwd(),
    )


def finish_fixing(result: FixResult, options: dict[str, Any], color: str) -> tuple[int, ScanResult]:
    """Write the files, or show the patch, and say what was done; the exit code, and what is left."""
    from racelint.report.diff import render_diff
    from racelint.report.fixes import fix_line, render_fixes

    if options["diff"]:
        deliver_bytes(render_diff(result.changes))
    else:
        result = _written(result)
    if options["show_fixes"]:
        click.echo(render_fixes(result, style_for(color)), nl=False, err=True)
    if not options["quiet"]:
        click.echo(fix_line(result, written=not options["diff"], listed=options["show_fixes"]), err=True)
    if result.remaining.errors:
        return EXIT_COULD_NOT_RUN, result.remaining
    return EXIT_FINDINGS if options["diff"] and result.changes else EXIT_CLEAN, result.remaining


def _written(result: FixResult) -> FixResult:
    """The result of what could be written."""
    problems = write_changes(result.changes)
    if not problems:
        return result
    lost = {problem.path for problem in problems}
    kept = tuple(finding for finding in result.applied if finding.path not in lost)
    remaining = msgspec.structs.replace(result.remaining, errors=(*result.remaining.errors, *problems))
    return msgspec.structs.replace(
        result,
        applied=kept,
        changes=tuple(change for change in result.changes if change.display not in lost),
        remaining=remaining,
        gone=len(kept),
    )
