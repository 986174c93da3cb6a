"""`racelint report`: findings and interleavings as a page to look at."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from racelint.cli.options import (
    configuration_options,
    file_options,
    hierarchy_for,
    known_options,
    proof_options,
    rule_options,
    talk_options,
)
from racelint.cli.output import EXIT_CLEAN, EXIT_COULD_NOT_RUN, complain, give_account
from racelint.cli.progress import sign_of_life
from racelint.cli.reports import Destination, write_reports
from racelint.cli.scan import judged, scan_result
from racelint.cli.sections import SectionedCommand, option, section
from racelint.engine.scan import root_of
from racelint.model.result import CannotScan
from racelint.report.counts import count_line


@click.command(cls=SectionedCommand)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@section(
    "Page",
    option(
        "-o",
        "--output-file",
        type=click.Path(dir_okay=False),
        default="racelint.html",
        show_default=True,
        help="Write the page there.",
    ),
    option("--open", "open_it", is_flag=True, help="Open it in the browser."),
    option(
        "--show-fixes/--no-fixes",
        default=True,
        help="Try a fix for each finding and show it, at a second or so each.  [default: yes]",
    ),
)
@talk_options
@rule_options
@file_options
@known_options
@proof_options
@configuration_options
def command(paths: tuple[str, ...], output_file: str, open_it: bool, **options: Any) -> int:
    """Scan PATHs (default: the working directory) and write one page for the browser, which loads nothing.

    It shows both accesses of each finding, interleavings to step through, the order of locks and what each guards.
    Scanning never runs the scanned code; --confirm does. Exit codes: 0 the page is written, 2 it is not complete.
    """
    given = paths or (".",)
    where = [Destination("html", output_file)]
    begin = time.monotonic()
    try:
        hierarchy = hierarchy_for(given, options)
        settings = hierarchy.base.settings
        with sign_of_life("scanning") as progress:
            result = scan_result(given, hierarchy, options, where, progress)
            result = judged(result, given, hierarchy, where, options, progress)
    except CannotScan as error:
        raise click.ClickException(str(error)) from None
    if options["verbose"]:
        give_account(result, hierarchy, root_of(given, os.getcwd()), time.monotonic() - begin)
    complain(result, quiet=options["quiet"])
    write_reports(result, where, settings, "never")
    if not options["quiet"]:
        click.echo(f"{output_file}: {count_line(result)}", err=True)
    if open_it:
        click.launch(Path(os.getcwd(), output_file).as_uri())
    return EXIT_COULD_NOT_RUN if result.errors else EXIT_CLEAN
