"""`racelint scan`: lint, and with `--confirm` prove."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import click
import msgspec

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
    scheduler_of,
    talk_options,
    without_known,
)
from racelint.cli.output import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FINDINGS, complain, give_account
from racelint.cli.progress import sign_of_life
from racelint.cli.reports import Destination, FormatAndFile, destinations, shown_severity, write_reports
from racelint.cli.sections import SectionedCommand, option, section
from racelint.cli.subject import input_of, show
from racelint.config.hierarchy import Hierarchy
from racelint.config.settings import Settings
from racelint.engine.progress import Progress
from racelint.engine.scan import root_of, scanned
from racelint.engine.threshold import above, any_as_grave, any_confirmed
from racelint.model.finding import Severity
from racelint.model.result import CannotScan, Problem, ScanResult
from racelint.report.formats import FOR_BROWSERS

CONFIRMED = "confirmed"
"""What `--fail-on` takes beside the severities."""


@click.command(cls=SectionedCommand)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@rule_options
@file_options
@section("Files", option("--stdin-filename", metavar="PATH", help="What `-` is called, for reports and settings."))
@known_options
@section(
    "Known findings",
    option("--add-ignore", bare=True, metavar="[=REASON]", help="Silence what is found by comments in the source."),
    option("--new-from-rev", metavar="REV", help="Show what the change since REV touches or causes, in git."),
)
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
)
@talk_options
@section(
    "Report",
    option("-w", "--watch", is_flag=True, help="Scan again whenever a file changes."),
    option("--statistics", is_flag=True, help="Count the findings of each rule instead of listing them."),
    option("-e", "--exit-zero", is_flag=True, help="Exit 0 although there are findings."),
    option(
        "--fail-on",
        type=click.Choice([*SEVERITY.choices, CONFIRMED]),
        metavar="LEVEL",
        help="Exit 1 only for findings as grave, or only for `confirmed` ones.  [default: warning]",
    ),
)
@section(
    "Fixes",
    option("--fix", is_flag=True, help="Put right what a known and safe fix puts right; report the rest."),
    option("--fix-only", is_flag=True, help="The same, and report nothing."),
)
@fix_options
@proof_options
@configuration_options
@section(
    "Configuration",
    option("--show-settings", is_flag=True, help="Print the settings that would hold, and scan nothing."),
    option("--show-files", is_flag=True, help="Print the files that would be scanned, and scan nothing."),
)
def command(
    paths: tuple[str, ...],
    output_format: tuple[Destination, ...],
    output_file: str | None,
    color: str,
    exit_zero: bool,
    statistics: bool,
    **options: Any,
) -> int:
    """Find race conditions and lock misuse in PATHs (default: the working directory; `-` is standard input).

    Scanning never runs the scanned code; --confirm does. Exit codes: 0 clean, 1 findings, 2 could not do the job.
    """
    options["only_confirmed"] = options["fail_on"] == CONFIRMED
    if options["only_confirmed"]:
        if not options["confirm"]:
            raise click.UsageError("--fail-on confirmed goes with --confirm: nothing is confirmed without it")
        options["fail_on"] = None
    where = destinations(output_format, output_file, statistics=statistics)
    given, options["unsaved"] = input_of(paths, options)

    def once() -> int:
        return _run(given, where, color, options, statistics=statistics, exit_zero=exit_zero)

    if not options["watch"]:
        return once()
    from racelint.cli.watch import watch

    return watch(given, once, quiet=options["quiet"])


def _run(
    given: tuple[str, ...],
    where: Sequence[Destination],
    color: str,
    options: dict[str, Any],
    *,
    statistics: bool,
    exit_zero: bool,
) -> int:
    """One scan from the settings to the exit code."""
    settings = Settings()
    begin = time.monotonic()
    try:
        hierarchy = hierarchy_for(given, options)
        settings = hierarchy.base.settings
        if options["show_settings"] or options["show_files"]:
            return show(given, hierarchy, scan_options(hierarchy, options), files=options["show_files"])
        if options["fix"] or options["fix_only"] or options["diff"]:
            from racelint.cli.fix import finish_fixing, fix_result

            with sign_of_life("fixing") as progress:
                mended = fix_result(given, hierarchy, options, progress)
            code, result = finish_fixing(mended, options, color)
            if options["fix_only"] or options["diff"]:
                complain(result, quiet=options["quiet"])
                return code
        else:
            with sign_of_life("scanning") as progress:
                result = scan_result(given, hierarchy, options, where, progress)
        with sign_of_life("comparing") as progress:
            result = judged(result, given, hierarchy, where, options, progress)
        if options["verbose"]:
            give_account(result, hierarchy, root_of(given, os.getcwd()), time.monotonic() - begin)
    except CannotScan as error:
        result = ScanResult((), errors=(Problem("configuration", str(error)),))
    complain(result, quiet=options["quiet"])
    write_reports(result, where, settings, color, statistics=statistics, quiet=options["quiet"])
    if exit_zero and not result.errors:
        return EXIT_CLEAN
    return _exit_code(result, settings, only_confirmed=options["only_confirmed"])


def scan_result(
    paths: Sequence[str],
    hierarchy: Hierarchy,
    options: dict[str, Any],
    where: Sequence[Destination],
    progress: Progress,
) -> ScanResult:
    """The result of the scan, with fixes and the overview where that was asked for. Raises ConfigError."""
    page = any(destination.output_format in FOR_BROWSERS for destination in where)
    how = scan_options(hierarchy, options, progress)
    if page or options["show_fixes"]:
        how = msgspec.structs.replace(how, kept={})
    found = scanned(paths, how, os.getcwd())
    result = found.result
    if options["show_fixes"]:
        from racelint.engine.fixing import offered

        progress.begin("trying fixes")
        result = offered(found)
    if not page:
        return result
    from racelint.engine.overview import with_overview

    return with_overview(result, found, paths)


def judged(
    result: ScanResult,
    paths: Sequence[str],
    hierarchy: Hierarchy,
    where: Sequence[Destination],
    options: dict[str, Any],
    progress: Progress,
) -> ScanResult:
    """The result without what the baseline knows, then, each if asked for: with only what a change touches or causes,
    silenced by comments, with a verdict on each finding that some report shows. Raises BadBaseline, NoRevision.
    """
    here = os.getcwd()
    settings = hierarchy.base.settings
    result = without_known(result, paths, settings)
    if options.get("new_from_rev") is not None:
        from racelint.engine.changed import only_new

        result = only_new(result, options["new_from_rev"], paths, scan_options(hierarchy, options), here)
    if options.get("add_ignore") is not None:
        from racelint.cli.silence import add_ignores

        shown = above(result, settings.min_severity or "warning", settings.min_confidence).findings
        left = add_ignores(shown, options["add_ignore"], here, quiet=options["quiet"])
        result = msgspec.structs.replace(result, findings=left)
    if not options["confirm"]:
        return result
    from racelint.engine.prove import prove

    severities = {shown_severity(settings, destination.output_format) for destination in where}
    least: Severity = "info" if "info" in severities else "warning" if "warning" in severities else "error"
    root = root_of(paths, here)
    return prove(result, settings.proving, root, least, options["jobs"], progress, scheduler_of(options))


def _exit_code(result: ScanResult, settings: Settings, *, only_confirmed: bool) -> int:
    """2 where something could not be done, 1 for findings that count, else 0; info counts only on request."""
    if result.errors:
        return EXIT_COULD_NOT_RUN
    grave = settings.fail_on or ("error" if settings.min_severity == "error" else "warning")
    findings = above(result, "info", settings.min_confidence).findings
    failing = any_confirmed(findings) if only_confirmed else any_as_grave(findings, grave)
    return EXIT_FINDINGS if failing else EXIT_CLEAN
