"""`racelint clean`: forget what earlier scans worked out."""

from __future__ import annotations

import os

import click

from racelint.cli.output import EXIT_CLEAN
from racelint.cli.sections import SectionedCommand, option, section
from racelint.engine.cache import FOLDER, remove
from racelint.engine.scan import root_of


@click.command(cls=SectionedCommand)
@click.argument("paths", nargs=-1, type=click.Path(exists=True), metavar="[PATH]...")
@section("Files", option("--cache-dir", type=click.Path(file_okay=False), metavar="PATH", help="Where the cache is."))
def command(paths: tuple[str, ...], cache_dir: str | None) -> int:
    """Remove the cache of the project that PATHs (default: the working directory) lie in."""
    here = os.getcwd()
    folder = cache_dir or os.path.join(root_of(paths or (".",), here), FOLDER)  # noqa: PTH118
    try:
        found = remove(folder)
    except OSError as error:
        raise click.ClickException(f"cannot remove {folder}: {error.strerror or error}") from None
    click.echo(f"{'removed' if found else 'there is no cache in'} {folder}")
    return EXIT_CLEAN
