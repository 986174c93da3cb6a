"""What a user is told who got the command line wrong: the mistake, the nearest right word, and where to look."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

import click

_COMMANDS = {
    "check": "scan",
    "lint": "scan",
    "analyze": "scan",
    "explain": "rule",
    "rules": "rule",
    "linter": "rule --all",
    "lsp": "server",
    "prove": "confirm",
    "settings": "config",
    "version": "--version",
}
"""What commands are called elsewhere, and here."""

_OPTIONS = {
    "-f": "--output-format",
    "-s": "--quiet",
    "--add-noqa": "--add-ignore",
    "--autofix": "--fix",
    "--confidence": "--min-confidence",
    "--config-file": "--config",
    "--disable": "--ignore",
    "--disable-noqa": "--ignore-noqa",
    "--dry-run": "--diff",
    "--enable": "--select",
    "--extend-ignore": "--ignore",
    "--format": "--output-format",
    "--level": "--min-severity",
    "--output": "--output-file",
    "--py-version": "--target-version",
    "--python-version": "--target-version",
    "--pythonversion": "--target-version",
    "--rcfile": "--config",
    "--rules": "--select",
    "--severity": "--min-severity",
    "--silent": "--quiet",
}
"""What options of other linters are called, and what does the same here."""


def no_such_command(name: str, known: Iterable[str]) -> str:
    """The complaint about a command that there is none of."""
    close = [_COMMANDS[name]] if name in _COMMANDS else difflib.get_close_matches(name, known, n=1)
    if Path(name).exists():
        return f"No such command {name!r}; did you mean `racelint scan {name}`?"
    return f"No such command {name!r}" + (f"; did you mean `racelint {close[0]}`?" if close else ".")


def complaint(error: click.ClickException) -> str:
    """What is wrong in a line, as all complaints of racelint look, and in another where to read what is right."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        return error.format_message()
    lines = [f"racelint: error: {_sentence(error)}"]
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx is not None else "racelint"
        lines.append(f"racelint: `{command} --help` lists what there is")
    return "\n".join(lines)


def _sentence(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        ours = _OPTIONS.get(error.option_name)
        if ours is not None and error.ctx is not None and ours in _names(error.ctx.command):
            return f"No such option {error.option_name!r}; did you mean `{ours}`?"
    return error.format_message()


def _names(command: click.Command) -> frozenset[str]:
    return frozenset(name for param in command.params for name in param.opts)
