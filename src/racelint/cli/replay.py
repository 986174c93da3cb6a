"""`racelint replay`: run one recorded interleaving again."""

from __future__ import annotations

import os
from pathlib import Path

import click

from racelint.cli.exploring import result_format_option
from racelint.cli.options import color_option
from racelint.cli.sections import SectionedCommand, option, section

FILE_LIMIT = 4 * 1024 * 1024


@click.command(cls=SectionedCommand)
@click.argument("recording", metavar="STRING|FILE")
@section(
    "Run",
    option("--python", metavar="PATH", help="Interpreter or environment that runs it.  [default: the project's]"),
    option("--root", type=click.Path(exists=True, file_okay=False), help="Folder that the paths in it start from."),
)
@section("Result", result_format_option, color_option)
def command(recording: str, python: str | None, root: str | None, output_format: str, color: str) -> int:
    """Run the interleaving recorded in STRING (`rl1:…`), or in a FILE that holds one a line, and show what comes of it.

    Exit codes: 0 it does not go wrong any more, 1 it still does, 2 it could not be run.
    """
    from racelint.cli.exploring import print_results
    from racelint.confirm import BadReplay, CannotRun, Limits, TargetResult, replay

    folders = [Path(root)] if root else _upwards(Path(os.getcwd()))
    results = []
    try:
        for text in _strings(recording):
            target, verdict = replay(text, Limits(python=python), folders)
            results.append(TargetResult(target, None, verdict))
    except (BadReplay, CannotRun) as error:
        raise click.ClickException(str(error)) from None
    return print_results(results, [], output_format, color)


def _upwards(folder: Path) -> list[Path]:
    """The folder and those above it: a string is written for a project, and may be run inside of it."""
    return [folder, *folder.parents]


def _strings(recording: str) -> list[str]:
    """The strings given: itself, or the lines of the file that is named."""
    if recording.startswith("rl1:"):
        return [recording]
    path = Path(recording)
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read(FILE_LIMIT).splitlines()
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or "it is not a text file"
        raise click.ClickException(f"`{recording}` is neither a replay string nor a file with one: {said}") from None
    strings = [line.strip() for line in lines if line.strip().startswith("rl1:")]
    if not strings:
        raise click.ClickException(f"{recording} holds no replay string (`rl1:…`)")
    return strings
