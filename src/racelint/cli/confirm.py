"""`racelint confirm`: run suspect code under threads and say what came of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
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
from racelint.cli.options import configuration_options, executor_options
from racelint.cli.sections import SectionedCommand, option, section

if TYPE_CHECKING:
    from racelint.confirm import Limits, Target, TargetResult
    from racelint.engine.cluster import Cluster
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
@section("Machine", *executor_options)
@result_options
@configuration_options
def command(targets: tuple[str, ...], **options: Any) -> int:
    """Run the code of each TARGET under threads, in a process of its own, and prove what goes wrong.

    TARGET is PATH::CODE or PATH::CODE@LINE (findings of a scan), a finding's fingerprint, PATH::Class (its public
    methods, each with itself and in pairs), PATH::Class.method (with itself, or alone, once and again, if it starts
    threads), PATH::Class.method,Class.method, PATH::function or PATH::function,function, or a test as pytest names it.

    --setup and --invariant see the module as `target`, the object as `subject` and other arguments by the names of
    their parameters; --invariant also the module's own names, and what the threads returned as the list `results`.

    This runs the code. Exit codes: 0 nothing confirmed, 1 something confirmed, 2 could not run.
    """
    stop_cleanly()
    results, errors = _confirmed(targets, options)
    return finish(results, errors, options)


@dataclass(frozen=True)
class _Asked:
    """A target as it was given, and what it takes to run it."""

    text: str
    findings: Sequence[Finding]
    limits: Limits
    root: Path


def _confirmed(targets: Sequence[str], options: dict[str, Any]) -> tuple[list[TargetResult], list[dict[str, Any]]]:
    """The results of the targets in their order; a target that cannot be run is an error and the rest still runs."""
    from racelint.cli.options import scheduler_of

    here = os.getcwd()
    scans: dict[str, list[Finding]] = {}
    results: list[TargetResult] = []
    errors: list[dict[str, Any]] = []
    scheduler = scheduler_of(options)
    asked = (_asked(text, options, here, scans) for text in targets)
    for found in _on_cluster(scheduler, list(asked)) if scheduler else map(_results, asked):
        if isinstance(found, dict):
            errors.append(found)
        else:
            results.extend(found)
    return results, errors


def _on_cluster(scheduler: str, asked: Sequence[_Asked | dict[str, Any]]) -> list[list[TargetResult] | dict[str, Any]]:
    """The results of each target, all of them under way on the workers at once."""
    from racelint.engine.cluster import cluster_at
    from racelint.engine.workforce import WorkerError

    try:
        cluster = cluster_at(scheduler)
    except WorkerError as error:
        raise click.ClickException(str(error)) from None
    with ThreadPoolExecutor(max_workers=cluster.threads) as pool:
        return list(pool.map(lambda one: _results(one, cluster), asked))


def _asked(text: str, options: dict[str, Any], here: str, scans: dict[str, list[Finding]]) -> _Asked | dict[str, Any]:
    """The target, or the error that it is."""
    from racelint.config.load import ConfigError
    from racelint.confirm import CannotRun, parse_target

    try:
        target = parse_target(text)
        root, limits = _setting(target, options, here)
        return _Asked(text, _findings(target, options, here, scans), limits, root)
    except (CannotRun, ConfigError) as error:
        kind = "configuration" if isinstance(error, ConfigError) else "target"
        return {"kind": kind, "message": str(error), "target": text}


def _results(asked: _Asked | dict[str, Any], cluster: Cluster | None = None) -> list[TargetResult] | dict[str, Any]:
    """What came of the target, here or on a cluster, or the error that it is."""
    from racelint.confirm import CannotRun, confirm_target

    if isinstance(asked, dict):
        return asked
    text, limits, root = asked.text, asked.limits, asked.root
    try:
        if cluster is None:
            found = confirm_target(text, asked.findings, limits, root)
        else:
            there = partial(cluster.confirm, limits=limits, root=root)
            found = confirm_target(text, asked.findings, limits, root, cluster.threads, there)
    except CannotRun as error:
        return {"kind": "target", "message": str(error), "target": text}
    if not found:
        click.echo(f"racelint: {text}: there is no such finding, so nothing to confirm", err=True)
    return found


def _setting(target: Target, options: dict[str, Any], here: str) -> tuple[Path, Limits]:
    """The project of a target and the limits for it: the configuration's, with the command line's on top."""
    from racelint.config.load import load_settings
    from racelint.confirm import CannotRun, limits_of
    from racelint.engine.scan import common_folder, root_of

    paths = [target.path] if target.path else ["."]
    if target.path and not Path(here, target.path).exists():
        raise CannotRun(f"there is no file {target.path}")
    settings, _ = load_settings(common_folder(paths, here), options["config"], isolated=options["isolated"])
    return Path(root_of(paths, here)), with_options(limits_of(settings.proving), options)


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
