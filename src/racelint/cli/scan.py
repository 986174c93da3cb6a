"""`racelint scan`: lint, and with `--confirm` prove."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click

from racelint.cli.fix import finish_fixing, fix_result
from racelint.cli.options import (
    SEVERITY,
    color_option,
    configuration_options,
    file_options,
    fix_options,
    hierarchy_for,
    known_options,
    proof_options,
    rule_options,
    scan_options,
    without_known,
)
from racelint.cli.output import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FINDINGS, complain
from racelint.cli.reports import Destination, FormatAndFile, destinations, shown_severity, write_reports
from racelint.cli.sections import SectionedCommand, option, section
from racelint.config.hierarchy import Hierarchy
from racelint.config.load import ConfigError
from racelint.config.settings import Settings
from racelint.engine.baseline import BadBaseline
from racelint.engine.fixing import offered
from racelint.engine.overview import with_overview
from racelint.engine.prove import prove
from racelint.engine.scan import root_of, scanned
from racelint.engine.threshold import above, any_as_grave
from racelint.model.finding import Severity
from racelint.model.result import Problem, ScanResult
from racelint.report.formats import FOR_BROWSERS


@click.command(cls=SectionedCommand)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@rule_options
@file_options
@known_options
@section(
    "Report",
    option(
        "--output-format",
        type=FormatAndFile(),
        multiple=True,
        help="How to report; several with FORMAT:FILE.  [default: full]",
    ),
    option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the report there."),
    color_option,
    option("-e", "--exit-zero", is_flag=True, help="Exit 0 although there are findings."),
    option("--fail-on", type=SEVERITY, metavar="LEVEL", help="Exit 1 only for findings as grave.  [default: warning]"),
)
@section(
    "Fixes",
    option("--fix", is_flag=True, help="Put right what a known and safe fix puts right; report the rest."),
    option("--fix-only", is_flag=True, help="The same, and report nothing."),
)
@fix_options
@proof_options
@configuration_options
def command(
    paths: tuple[str, ...],
    output_format: tuple[Destination, ...],
    output_file: str | None,
    color: str,
    exit_zero: bool,
    **options: Any,
) -> int:
    """Find race conditions and lock misuse in PATHs (default: the working directory).

    Scanning never runs the scanned code; --confirm does.
    """
    given = paths or (".",)
    where = destinations(output_format, output_file)
    try:
        hierarchy = hierarchy_for(given, options)
        settings = hierarchy.base.settings
        if options["fix"] or options["fix_only"] or options["diff"]:
            mended = fix_result(given, hierarchy, options)
            code, result = finish_fixing(mended, options, color)
            if options["fix_only"] or options["diff"]:
                complain(result)
                return code
        else:
            result = scan_result(given, hierarchy, options, where)
        result = judged(result, given, settings, where, options)
    except (ConfigError, BadBaseline) as error:
        settings = Settings()
        result = ScanResult((), errors=(Problem("configuration", str(error)),))
    complain(result)
    write_reports(result, where, settings, color)
    return _exit_code(result, settings, exit_zero=exit_zero)


def scan_result(
    paths: Sequence[str], hierarchy: Hierarchy, options: dict[str, Any], where: Sequence[Destination]
) -> ScanResult:
    """The result of the scan, with fixes and the overview where that was asked for. Raises ConfigError."""
    found = scanned(paths, scan_options(hierarchy, options), os.getcwd())  # noqa: PTH109
    page = any(destination.output_format in FOR_BROWSERS for destination in where)
    result = offered(found) if page or options["show_fixes"] else found.result
    return with_overview(result, found, paths) if page else result


def judged(
    result: ScanResult,
    paths: Sequence[str],
    settings: Settings,
    where: Sequence[Destination],
    options: dict[str, Any],
) -> ScanResult:
    """The result without what the baseline knows, with a verdict on each finding that some report shows if asked for.

    Raises BadBaseline.
    """
    result = without_known(result, paths, settings)
    if not options["confirm"]:
        return result
    shown = {shown_severity(settings, destination.output_format) for destination in where}
    least: Severity = "info" if "info" in shown else "warning" if "warning" in shown else "error"
    root = root_of(paths, os.getcwd())  # noqa: PTH109
    return prove(result, settings.confirm, root, least, options["jobs"])


def _exit_code(result: ScanResult, settings: Settings, *, exit_zero: bool) -> int:
    """2 where something could not be done, 1 for findings that count, else 0; info counts only on request."""
    if result.errors:
        return EXIT_COULD_NOT_RUN
    grave = settings.fail_on or ("error" if settings.min_severity == "error" else "warning")
    failing = any_as_grave(above(result, "info", settings.min_confidence).findings, grave)
    return EXIT_FINDINGS if failing and not exit_zero else EXIT_CLEAN
