"""`racelint confirm`: run suspect code under threads and say what came of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from racelint.cli.exploring import (
    finish,
    invariant_option,
    result_options,
    search_options,
    stop_cleanly,
    with_options,
)
from racelint.cli.fragments import Statements
from racelint.cli.options import configuration_options
from racelint.cli.sections import SectionedCommand, option, section

if TYPE_CHECKING:
    from racelint.confirm import Limits, Target, TargetResult
    from racelint.model.finding import Finding


@click.command(cls=SectionedCommand)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@search_options
@section(
    "Scenario",
    option("--fixtures", type=click.Path(exists=True, dir_okay=False), help="Python file with make_<Name> functions."),
    option("--setup", type=Statements(), metavar="CODE|FILE", help="Run when the objects are made."),
    invariant_option,
)
@result_options
@configuration_options
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Run the code of each TARGET under threads, in a process of its own, and prove what goes wrong.

    TARGET is PATH::CODE or PATH::CODE@LINE (findings of a scan), a finding's fingerprint, PATH::Class (its public
    methods, each with itself and in pairs), PATH::Class.method (with itself, or alone if it starts threads),
    PATH::Class.method,Class.method, PATH::function or PATH::function,function, or a test as pytest names it.

    --setup and --invariant see the module as `target`, the object as `subject` and other arguments by the names of
    their parameters; --invariant also the module's own names, and what the threads returned as the list `results`.

    This runs the code. Exit codes: 0 nothing confirmed, 1 something confirmed, 2 could not run.
    """
    stop_cleanly()
    results, errors = _confirmed(targets, options)
    return finish(results, errors, options)


def _confirmed(targets: Sequence[str], options: dict[str, Any]) -> tuple[list[TargetResult], list[dict[str, Any]]]:
    """The results of the targets in their order; a target that cannot be run is an error and the rest still runs."""
    from racelint.config.load import ConfigError
    from racelint.confirm import CannotRun, confirm_target, parse_target

    results: list[TargetResult] = []
    errors: list[dict[str, Any]] = []
    here = os.getcwd()
    scans: dict[str, list[Finding]] = {}
    for text in targets:
        try:
            target = parse_target(text)
            root, limits = _setting(target, options, here)
            findings = _findings(target, options, here, scans)
            found = confirm_target(text, findings, limits, root)
            if not found:
                click.echo(f"racelint: {text}: there is no such finding, so nothing to confirm", err=True)
            results.extend(found)
        except (CannotRun, ConfigError) as error:
            kind = "configuration" if isinstance(error, ConfigError) else "target"
            errors.append({"kind": kind, "message": str(error), "target": text})
    return results, errors


def _setting(target: Target, options: dict[str, Any], here: str) -> tuple[Path, Limits]:
    """The project of a target and the limits for it: the configuration's, with the command line's on top."""
    from racelint.config.load import load_settings
    from racelint.confirm import CannotRun, limits_of
    from racelint.engine.scan import common_folder, root_of

    paths = [target.path] if target.path else ["."]
    if target.path and not Path(here, target.path).exists():
        raise CannotRun(f"there is no file {target.path}")
    config = Path(options["config"]) if options["config"] else None
    settings, _ = load_settings(common_folder(paths, here), config, isolated=options["isolated"])
    return root_of(paths, here), with_options(limits_of(settings.proving), options)


def _findings(target: Target, options: dict[str, Any], here: str, scans: dict[str, list[Finding]]) -> list[Finding]:
    """The findings that the target may mean: of its file, of the whole working directory for a fingerprint."""
    if not target.wants_findings:
        return []
    path = target.path or "."
    if path not in scans:
        from racelint.cli.options import hierarchy_for
        from racelint.engine.cache import FOLDER
        from racelint.engine.scan import ScanOptions, scan

        scans[path] = list(
            scan([path], ScanOptions(hierarchy=hierarchy_for((path,), options), cache=FOLDER), here).findings
        )
    return scans[path]
