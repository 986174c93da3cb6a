"""`racelint baseline`: write down what is found today, so that only what comes after it fails."""

from __future__ import annotations

import os
import time
from typing import Any

import click

from racelint.cli.options import (
    configuration_options,
    file_options,
    hierarchy_for,
    rule_options,
    scan_options,
    talk_options,
)
from racelint.cli.output import EXIT_CLEAN, EXIT_COULD_NOT_RUN, complain, give_account
from racelint.cli.progress import sign_of_life
from racelint.cli.replacing import write_file
from racelint.cli.sections import SectionedCommand, option, section
from racelint.config.load import ConfigError
from racelint.engine.baseline import DEFAULT_NAME, entries_of, relative_to, render_baseline
from racelint.engine.paths import absolute
from racelint.engine.scan import root_of, scan
from racelint.report.counts import several


@click.command(cls=SectionedCommand)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@section(
    "Report",
    option(
        "-o",
        "--output-file",
        type=click.Path(dir_okay=False),
        help=f"Write it there.  [default: the configured baseline, else {DEFAULT_NAME}]",
    ),
)
@talk_options
@rule_options
@file_options
@configuration_options
def command(paths: tuple[str, ...], output_file: str | None, **options: Any) -> int:
    """Write a baseline of all that is found in PATHs (default: the working directory).

    `racelint scan --baseline FILE` then tells only what is new, and RL903 what has gone. Commit the file.
    """
    given = paths or (".",)
    here = os.getcwd()
    begin = time.monotonic()
    try:
        hierarchy = hierarchy_for(given, options)
        with sign_of_life("scanning") as progress:
            result = scan(given, scan_options(hierarchy, options, progress), here)
    except ConfigError as error:
        raise click.ClickException(str(error)) from None
    if options["verbose"]:
        give_account(result, hierarchy, root_of(given, here), time.monotonic() - begin)
    complain(result, quiet=options["quiet"])
    if result.errors:
        click.echo("racelint: no baseline written: what was not scanned would look new", err=True)
        return EXIT_COULD_NOT_RUN
    file = output_file or hierarchy.base.settings.baseline or DEFAULT_NAME
    entries = entries_of(result, relative_to(os.path.dirname(absolute(file)), here))
    write_file(file, render_baseline(entries).encode())
    if not options["quiet"]:
        click.echo(f"{several(len(entries), 'finding')} in {several(result.files, 'file')} written to {file}")
    return EXIT_CLEAN
