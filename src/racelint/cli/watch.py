"""`racelint scan --watch`: scan again whenever a Python file or the configuration changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from racelint.config.load import NAMES
from racelint.engine.discover import SUFFIXES
from racelint.engine.scan import root_of

_WATCHING = "racelint: watching for changes; Ctrl-C ends"


def watch(paths: Sequence[str], scan_once: Callable[[], int], *, quiet: bool) -> int:
    """Scan, then again after each change below the project of `paths`, until Ctrl-C; the last exit code."""
    try:
        from watchfiles import watch as changes
    except ImportError:
        raise click.ClickException("--watch needs: pip install 'racelint[watch]'") from None

    def say(text: str) -> None:
        if not quiet:
            click.echo(text, err=True)

    code = 0
    try:
        code = scan_once()
        say(_WATCHING)
        root = root_of(paths, os.getcwd())
        for changed in changes(root, watch_filter=lambda change, path: matters(path), raise_interrupt=True):
            names = sorted({os.path.relpath(path) for _, path in changed})
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            say(f"\nracelint: {names[0]}{more} changed")
            code = scan_once()
            say(_WATCHING)
    except KeyboardInterrupt:  # that is how it ends
        say("racelint: watched no longer")
    return code


def matters(path: str) -> bool:
    """Whether a change of this file can change what is found."""
    return path.endswith(SUFFIXES) or Path(path).name in (*NAMES, ".gitignore")
