"""`racelint confirm`: run suspect code under threads and say what came of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from racelint.confirm import Limits, Target, TargetResult
    from racelint.model.finding import Finding

EXIT_NOTHING = 0
EXIT_CONFIRMED = 1
EXIT_COULD_NOT_RUN = 2


@click.command()
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option("--python", metavar="PATH", help="Interpreter or environment that runs the code.")
@click.option(
    "--confirm-budget",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Wall time for each finding or target.  [default: 10]",
)
@click.option("--total-budget", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="For all of them.")
@click.option(
    "--memory", type=click.IntRange(min=64), metavar="MIB", help="Address space of each run.  [default: 2048]"
)
@click.option("--bound", type=click.IntRange(min=0), help="Preemptions to explore completely.  [default: 4]")
@click.option("--seed", type=int, help="Of the random schedules at the end of a search.  [default: 0]")
@click.option(
    "--fixtures", type=click.Path(exists=True, dir_okay=False), help="Python file with make_<Name> functions."
)
@click.option("--save", type=click.Path(dir_okay=False), metavar="FILE", help="Write the replay strings there.")
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option("--config", type=click.Path(exists=True, dir_okay=False), help="Read the configuration there.")
@click.option("--isolated", is_flag=True, help="Read no configuration.")
def command(targets: tuple[str, ...], output_format: str, color: str, save: str | None, **options: Any) -> int:
    """Run the code of each TARGET under threads, in a process of its own, and prove what goes wrong.

    TARGET is PATH::CODE or PATH::CODE@LINE (findings of a scan), a finding's fingerprint, PATH::Class (its public
    methods, each with itself and in pairs), PATH::Class.method (with itself, or alone if it starts threads),
    PATH::Class.method,Class.method, PATH::function or PATH::function,function.

    This runs the code. Exit codes: 0 nothing confirmed, 1 something confirmed, 2 could not run.
    """
    signal.signal(signal.SIGTERM, _terminated)
    results, errors = _confirmed(targets, options)
    if save is not None:
        _save(results, save)
    return print_results(results, errors, output_format, color)


def print_results(
    results: Sequence[TargetResult], errors: Sequence[dict[str, Any]], output_format: str, color: str
) -> int:
    """Print the results and give the exit code."""
    from racelint.cli.output import deliver

    for error in errors:
        click.echo(f"racelint: error: {error['message']}", err=True)
    if output_format == "json":
        deliver(_as_json(results, errors))
    elif results:
        deliver(_as_text(results, color))
    if errors:
        return EXIT_COULD_NOT_RUN
    return EXIT_CONFIRMED if any(r.verdict.status == "confirmed" for r in results) else EXIT_NOTHING


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
    import msgspec

    from racelint.config.load import load_settings
    from racelint.confirm import CannotRun, limits_of
    from racelint.engine.scan import common_folder, root_of

    paths = [target.path] if target.path else ["."]
    if target.path and not Path(here, target.path).exists():
        raise CannotRun(f"there is no file {target.path}")
    config = Path(options["config"]) if options["config"] else None
    settings, _ = load_settings(common_folder(paths, here), config, isolated=options["isolated"])
    given = {
        "python": options["python"],
        "budget": options["confirm_budget"],
        "total": options["total_budget"],
        "memory": options["memory"] * 1024 * 1024 if options["memory"] else None,
        "bound": options["bound"],
        "seed": options["seed"],
        "fixtures": options["fixtures"],
    }
    limits = limits_of(settings.confirm)
    return root_of(paths, here), msgspec.structs.replace(limits, **{k: v for k, v in given.items() if v is not None})


def _findings(target: Target, options: dict[str, Any], here: str, scans: dict[str, list[Finding]]) -> list[Finding]:
    """The findings that the target may mean: of its file, of the whole working directory for a fingerprint."""
    if not target.wants_findings:
        return []
    path = target.path or "."
    if path not in scans:
        from racelint.cli.options import hierarchy_for
        from racelint.engine.scan import ScanOptions, scan

        scans[path] = list(scan([path], ScanOptions(hierarchy=hierarchy_for((path,), options)), here).findings)
    return scans[path]


def _as_json(results: Sequence[TargetResult], errors: Sequence[dict[str, Any]]) -> str:
    from racelint import __version__
    from racelint.report.json import encode, finding_object, verdict_object

    objects = [
        {
            "target": result.target,
            "finding": finding_object(result.finding) if result.finding else None,
            "verdict": verdict_object(result.verdict),
        }
        for result in results
    ]
    return encode({"version": __version__, "results": objects, "errors": list(errors)})


def _as_text(results: Sequence[TargetResult], color: str) -> str:
    from racelint.cli.output import style_for, width_of_terminal
    from racelint.report.verdicts import render_verdict

    style, width = style_for(color), width_of_terminal()
    blocks = []
    for result in results:
        title = result.target
        if result.finding is not None:
            finding = result.finding
            title = f"{finding.path}:{finding.line}:{finding.column}: {finding.code} {finding.message}"
        blocks.append("\n".join([style(title, "bold"), *render_verdict(result.verdict, width, style)]))
    return "\n\n".join(blocks) + "\n"


def _save(results: Sequence[TargetResult], path: str) -> None:
    strings = [result.verdict.schedule for result in results if result.verdict.schedule]
    try:
        Path(path).write_text("".join(f"{text}\n" for text in strings), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror or error}") from None


def _terminated(number: int, frame: object) -> NoReturn:
    """Leave through the clean-up: no process or folder of a run stays behind."""
    raise SystemExit(128 + number)
