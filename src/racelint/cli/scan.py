"""`racelint scan`: lint, and with `--confirm` prove."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from racelint.cli.output import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FINDINGS, complain, deliver
from racelint.config.load import ConfigError, load_settings
from racelint.config.settings import Settings
from racelint.engine.prove import prove
from racelint.engine.scan import ScanOptions, common_folder, root_of, scan
from racelint.engine.selection import UnknownRule
from racelint.model.finding import Severity, severity_rank
from racelint.model.result import Problem, ScanResult


def _jobs(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """`auto` (None) or a number of processes."""
    if value == "auto":
        return None
    if value.isdecimal() and int(value) > 0:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither `auto` nor a positive number")


def _codes(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Rule codes or prefixes, separated by commas, the option given once or more."""
    return tuple(code.strip().upper() for given in value for code in given.split(",") if code.strip())


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "--select", callback=_codes, multiple=True, metavar="CODES", help="Rules to run: codes, prefixes, or ALL."
)
@click.option(
    "--extend-select", callback=_codes, multiple=True, metavar="CODES", help="Rules to run on top of the others."
)
@click.option(
    "--ignore", callback=_codes, multiple=True, metavar="CODES", help="Rules to leave out; the longest match wins."
)
@click.option("--min-severity", type=click.Choice(["error", "warning", "info"]), help="Leave out what is less grave.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave out, as in .gitignore.")
@click.option("--force-exclude", is_flag=True, help="Exclude also what is named on the command line.")
@click.option(
    "--scope",
    type=click.Choice(["imports", "project"]),
    default="imports",
    show_default=True,
    help="What to analyse with the PATHs: what they import, or the whole project.",
)
@click.option("--output-format", type=click.Choice(["full", "concise", "json"]), default="full", show_default=True)
@click.option("-o", "--output-file", type=click.Path(dir_okay=False), help="Write the report there.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("-e", "--exit-zero", is_flag=True, help="Exit 0 although there are findings.")
@click.option(
    "-j", "--jobs", callback=_jobs, metavar="auto|N", default="auto", show_default=True, help="Processes to use."
)
@click.option("--config", type=click.Path(exists=True, dir_okay=False), help="Read the configuration there.")
@click.option("--isolated", is_flag=True, help="Read no configuration.")
@click.option("--confirm", is_flag=True, help="Run the flagged code under threads and prove the findings.")
@click.option("--python", help="Interpreter that --confirm runs the code with.")
@click.option("--confirm-budget", type=click.FloatRange(min=0, min_open=True), help="Seconds for each finding.")
def command(
    paths: tuple[str, ...],
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
    min_severity: Severity | None,
    exclude: tuple[str, ...],
    force_exclude: bool,
    scope: str,
    output_format: str,
    output_file: str | None,
    color: str,
    exit_zero: bool,
    jobs: int | None,
    config: str | None,
    isolated: bool,
    confirm: bool,
    python: str | None,
    confirm_budget: float | None,
) -> int:
    """Find race conditions and lock misuse in PATHs (default: the working directory).

    Scanning never runs the scanned code; --confirm does.
    """
    given = paths or (".",)
    cwd = os.getcwd()  # noqa: PTH109
    minimum = min_severity or "warning"
    shown = min_severity or ("info" if output_format == "json" else "warning")
    try:
        settings, found_at = load_settings(
            common_folder(given, cwd), Path(config) if config else None, isolated=isolated
        )
        settings = _overridden(settings, select, extend_select, ignore)
        settings = _with_confirm_options(settings, python, confirm_budget)
        result = scan(given, ScanOptions(settings, jobs, force_exclude, found_at, exclude, scope == "project"), cwd)
        if confirm:
            result = prove(result, settings.confirm, root_of(given, cwd), shown, jobs)
    except (ConfigError, UnknownRule) as error:
        result = ScanResult((), errors=(Problem("configuration", str(error)),))
    complain(result)
    deliver(_render(result, output_format, min_severity, output_file, color), output_file)
    return _exit_code(result, minimum, exit_zero=exit_zero)


def _overridden(
    settings: Settings,
    select: tuple[str, ...],
    extend_select: tuple[str, ...],
    ignore: tuple[str, ...],
) -> Settings:
    """The settings with the command line's selection: `--select` replaces, the other two add."""
    return msgspec.structs.replace(
        settings,
        select=select or settings.select,
        extend_select=(*settings.extend_select, *extend_select),
        ignore=(*settings.ignore, *ignore),
    )


def _with_confirm_options(settings: Settings, python: str | None, budget: float | None) -> Settings:
    confirm = settings.confirm
    if python is not None:
        confirm = msgspec.structs.replace(confirm, python=python)
    if budget is not None:
        confirm = msgspec.structs.replace(confirm, budget=budget)
    return msgspec.structs.replace(settings, confirm=confirm)


def _render(
    result: ScanResult, output_format: str, min_severity: Severity | None, output_file: str | None, color: str
) -> str:
    """The report in the format asked for. JSON holds info findings unless a severity was asked for outright."""
    if output_format == "json":
        from racelint.report.json import render_json

        return render_json(result, min_severity or "info")
    from racelint.cli.output import style_for, width_of_terminal

    if any(error.kind == "configuration" for error in result.errors):
        return ""
    style = style_for(color, to_file=output_file is not None)
    minimum = min_severity or "warning"
    if output_format == "concise":
        from racelint.report.concise import render_concise

        return render_concise(result, minimum, style)
    from racelint.report.full import render_full

    return render_full(result, minimum, style, width_of_terminal(to_file=output_file is not None))


def _exit_code(result: ScanResult, minimum: Severity, *, exit_zero: bool) -> int:
    """2 where something could not be done, 1 for findings that count, else 0; info never counts."""
    if result.errors:
        return EXIT_COULD_NOT_RUN
    grave = severity_rank(minimum) if minimum != "info" else severity_rank("warning")
    failing = any(severity_rank(finding.severity) <= grave for finding in result.findings)
    return EXIT_FINDINGS if failing and not exit_zero else EXIT_CLEAN
