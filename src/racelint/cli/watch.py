"""`racelint scan --watch`: scan again whenever a Python file or the configuration changes."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from racelint.config.load import NAMES
from racelint.engine.discover import SUFFIXES
from racelint.engine.scan import root_of


def watch(paths: Sequence[str], scan_once: Callable[[], int], *, quiet: bool) -> int:
    """Scan, then again after each change below the project of `paths`, until Ctrl-C; the last exit code."""
    try:
        from watchfiles import watch as changes
    except ImportError:
        raise click.ClickException("--watch needs: pip install 'racelint[watch]'") from None
    code = _scan(scan_once, "", quiet=quiet)
    root = root_of(paths, os.getcwd())
    for changed in changes(root, watch_filter=lambda change, path: matters(path), raise_interrupt=False):
        names = sorted({os.path.relpath(path) for _, path in changed})
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        code = _scan(scan_once, names[0] + more, quiet=quiet)
    return code


def matters(path: str) -> bool:
    """Whether a change of this file can change what is found."""
    return path.endswith(SUFFIXES) or Path(path).name in (*NAMES, ".gitignore")


def _scan(scan_once: Callable[[], int], changed: str, *, quiet: bool) -> int:
    if changed and not quiet:
        click.echo(f"\nracelint: {changed} changed", err=True)
    code = scan_once()
    if not quiet:
        click.echo("racelint: watching for changes; Ctrl-C ends", err=True)
    return code
