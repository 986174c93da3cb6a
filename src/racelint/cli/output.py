"""Where a command's output goes: the report to standard output or a file, complaints to standard error."""

from __future__ import annotations

import os
import sys

import click

from racelint.config.hierarchy import Hierarchy
from racelint.model.result import ScanResult
from racelint.report.counts import several
from racelint.report.style import Style, wants_colour

EXIT_CLEAN = 0
EXIT_FINDINGS = 1
EXIT_COULD_NOT_RUN = 2

DEFAULT_WIDTH = 100


def style_for(choice: str, *, to_file: bool = False) -> Style:
    """The style of a report that goes to standard output, or to a file."""
    terminal = not to_file and sys.stdout.isatty()
    return Style(colour=wants_colour(choice, os.environ, terminal=terminal))


def width_of_terminal(*, to_file: bool = False) -> int:
    """Columns to write for; a pipe or a file gets the same everywhere."""
    if to_file or not sys.stdout.isatty():
        return DEFAULT_WIDTH
    import shutil

    return max(60, shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns)


def deliver(text: str, output_file: str | None = None) -> None:
    """Write a report as UTF-8. A reader that has gone is no error: what it did not want is dropped.

    Raises click.ClickException where `output_file` cannot be written.
    """
    deliver_bytes(text.encode("utf-8", "backslashreplace"), output_file)


def deliver_bytes(data: bytes, output_file: str | None = None) -> None:
    """As `deliver`, of what is encoded already."""
    if output_file is not None:
        from racelint.cli.replacing import write_file

        write_file(output_file, data)
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def give_account(result: ScanResult, hierarchy: Hierarchy, root: str, seconds: float) -> None:
    """What held and what was looked at, on standard error, for who asked with `--verbose`."""
    for line in (
        f"configuration: {hierarchy.base.file or 'there is no file'}",
        f"project: {root}",
        f"{several(result.files, 'file')} scanned, {result.context} more analysed with them, in {seconds:.1f} s",
    ):
        click.echo(f"racelint: {line}", err=True)


def complain(result: ScanResult, *, quiet: bool = False) -> None:
    """Errors and, but for the `quiet`, warnings of a scan on standard error, one a line."""
    for kind, problems in (("error", result.errors), ("warning", () if quiet else result.warnings)):
        for problem in problems:
            place = f"{problem.path}: " if problem.path else ""
            click.echo(f"racelint: {kind}: {place}{problem.message}", err=True)
