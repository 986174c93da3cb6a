"""What a command is about: the paths, standard input, and what would be scanned under which settings."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

import click

from racelint.cli.output import EXIT_CLEAN, EXIT_COULD_NOT_RUN, complain, deliver
from racelint.config.hierarchy import Hierarchy
from racelint.engine.paths import absolute, display_path
from racelint.engine.scan import ScanOptions, find_files
from racelint.model.result import ScanResult

_WRITING = {"add_ignore": "--add-ignore", "fix": "--fix", "fix_only": "--fix-only", "diff": "--diff"}


def input_of(paths: Sequence[str], options: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, bytes]]:
    """The paths to scan, and what standard input holds where `-` asks for it, by the path it stands for."""
    if "-" not in paths:
        return tuple(paths) or (".",), {}
    if len(paths) > 1:
        raise click.UsageError("`-` is standard input, which goes with no other path")
    for name, spelling in _WRITING.items():
        if options[name] not in (None, False):
            raise click.UsageError(f"{spelling} goes with files, not with standard input")
    name = options["stdin_filename"] or "stdin.py"
    return (name,), {absolute(name): sys.stdin.buffer.read()}


def show(paths: Sequence[str], hierarchy: Hierarchy, how: ScanOptions, *, files: bool) -> int:
    """Print the settings or the files of the scan that would be."""
    here = os.getcwd()
    discovery, _ = find_files(paths, how, hierarchy, here)
    if files:
        deliver("".join(f"{display_path(path, here)}\n" for path in discovery.files))
    else:
        from racelint.config.show import as_toml

        held = {id(scoped): scoped for scoped in (hierarchy.of(os.path.dirname(path)) for path in discovery.files)}
        blocks = [
            f"# {scoped.file or 'no configuration file'}\n{as_toml(scoped.settings)}"
            for scoped in held.values() or (hierarchy.base,)
        ]
        deliver("\n".join(blocks))
    complain(ScanResult((), errors=discovery.errors, warnings=discovery.warnings))
    return EXIT_COULD_NOT_RUN if discovery.errors else EXIT_CLEAN
