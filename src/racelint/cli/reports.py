"""Which reports a scan writes, and where each goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click
import msgspec

from racelint.cli.output import deliver, style_for, width_of_terminal
from racelint.config.settings import Settings
from racelint.engine.selection import RuleBook
from racelint.engine.threshold import above
from racelint.model.result import ScanResult
from racelint.report import statistics as counted
from racelint.report.formats import FOR_PROGRAMS, FORMATS, least_severity, render
from racelint.report.view import View


class Destination(msgspec.Struct, frozen=True):
    """One report: its format, and the file it goes to, or standard output where None."""

    output_format: str
    file: str | None = None


class FormatAndFile(click.ParamType[Destination]):
    """`FORMAT`, or `FORMAT:FILE`."""

    name = "format"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return "FORMAT[:FILE]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Destination:
        if isinstance(value, Destination):
            return value
        name, colon, file = str(value).partition(":")
        click.Choice(FORMATS).convert(name, param, ctx)
        if colon and not file:
            self.fail(f"{value!r} names no file", param, ctx)
        return Destination(name, file or None)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        return click.Choice(FORMATS).shell_complete(ctx, param, incomplete)


def destinations(
    given: Sequence[Destination], output_file: str | None, *, statistics: bool = False
) -> tuple[Destination, ...]:
    """Where each report goes; `output_file` is for the one that names no file. Raises click.UsageError."""
    asked = tuple(given) or (Destination("full"),)
    unfit = [each.output_format for each in asked if statistics and each.output_format not in counted.FORMATS]
    if unfit:
        raise click.UsageError(f"--statistics goes with {', '.join(counted.FORMATS)}, not with {unfit[0]}")
    plain = [destination for destination in asked if destination.file is None]
    if len(plain) > 1:
        names = " and ".join(destination.output_format for destination in plain)
        raise click.UsageError(f"{names} cannot share one output; write FORMAT:FILE for all but one")
    if output_file is not None and not plain:
        raise click.UsageError("--output-file is for a format that names no file, and all do")
    return tuple(Destination(destination.output_format, destination.file or output_file) for destination in asked)


def write_reports(
    result: ScanResult,
    where: Sequence[Destination],
    settings: Settings,
    color: str,
    *,
    statistics: bool = False,
    quiet: bool = False,
) -> None:
    """Render and deliver each report, or its statistics.

    Files first, so that a reader of standard output who goes away costs none.
    """
    rules = RuleBook()
    misconfigured = any(error.kind == "configuration" for error in result.errors)
    for destination in sorted(where, key=lambda each: each.file is None):
        if misconfigured and destination.output_format not in FOR_PROGRAMS:
            continue
        severity = shown_severity(settings, destination.output_format)
        view = View(
            above(result, severity, settings.min_confidence),
            style_for(color, to_file=destination.file is not None),
            width_of_terminal(to_file=destination.file is not None),
            rules,
            quiet,
        )
        renderer = counted.render if statistics else render
        deliver(renderer(destination.output_format, view), destination.file)


def shown_severity(settings: Settings, output_format: str) -> Any:
    """The least severity that a format shows: as configured, else its own; what fails the run is never hidden."""
    if settings.min_severity is not None:
        return settings.min_severity
    return "info" if settings.fail_on == "info" else least_severity(output_format)
