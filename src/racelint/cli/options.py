"""Options that several commands share, in groups as their help shows them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import click
import msgspec

from racelint.cli import completion
from racelint.cli.duration import Duration
from racelint.cli.sections import option, section
from racelint.config.hierarchy import Hierarchy, load_hierarchy
from racelint.config.settings import Settings
from racelint.engine.cache import FOLDER
from racelint.engine.paths import absolute
from racelint.engine.progress import Progress
from racelint.engine.scan import ScanOptions, common_folder
from racelint.engine.selection import unknown_selectors
from racelint.model.result import ScanResult
from racelint.rules.registry import BadPlugin

SEVERITY = click.Choice(["error", "warning", "info"])
CONFIDENCE = click.Choice(["high", "medium", "low"])


def _jobs(ctx: click.Context, param: click.Parameter, value: str) -> int | None:
    """`auto` (None) or a number of processes."""
    if value == "auto":
        return None
    if value.isdecimal() and len(value) < 10 and int(value) > 0:
        return int(value)
    raise click.BadParameter(f"{value!r} is neither `auto` nor a positive number")


def _codes(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Rule codes or prefixes, separated by commas, the option given once or more."""
    return tuple(code.strip().upper() for given in value for code in given.split(",") if code.strip())


def _per_file(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """`PATTERN:CODE,CODE,PATTERN:CODE` as a table: a code without a pattern goes with the one before; colons may be
    part of a pattern.
    """
    table: dict[str, tuple[str, ...]] = {}
    for given in value:
        pattern = ""
        for part in given.replace(",", " ").split():
            named, _, code = part.rpartition(":")
            pattern = named or pattern
            if not pattern or not code:
                raise click.BadParameter(f"{given!r} is not PATTERN:CODES")
            table[pattern] = (*table.get(pattern, ()), code.upper())
    return table


def _versions(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Versions, separated by commas, the option given once or more."""
    versions = tuple(version.strip() for given in value for version in given.split(",") if version.strip())
    if not versions:
        return ()
    from racelint.config.check import complaints

    for complaint in complaints({"target-version": list(versions)}):
        raise click.BadParameter(complaint.partition(": ")[2])
    return versions


_CODES: dict[str, Any] = {
    "callback": _codes,
    "multiple": True,
    "metavar": "CODES",
    "shell_complete": completion.codes,
}

configuration_options = section(
    "Configuration",
    option("--config", type=click.Path(exists=True, dir_okay=False), help="Read the configuration there."),
    option("--isolated", is_flag=True, help="Read no configuration."),
)

rule_options = section(
    "Rules",
    option("--select", **_CODES, help="Run these: codes, prefixes, or ALL."),
    option("--extend-select", **_CODES, help="Run these on top of the others."),
    option("--ignore", **_CODES, help="Leave these out; longer matches win."),
    option(
        "--per-file-ignores",
        callback=_per_file,
        multiple=True,
        metavar="PATTERN:CODES",
        help="Leave these out in some files; several pairs with commas.",
    ),
    option(
        "--target-version",
        callback=_versions,
        multiple=True,
        metavar="VERSION",
        help="Pythons that the code runs on: 3.13, or 3.13t for a free-threaded build.",
    ),
    option(
        "--min-severity",
        type=SEVERITY,
        metavar="LEVEL",
        help="Leave out what is less grave than error, warning or info.  [default: warning]",
    ),
    option(
        "--min-confidence",
        type=CONFIDENCE,
        metavar="LEVEL",
        help="Leave out what is less certain than high, medium or low.  [default: low]",
    ),
)

executor_options = (
    option(
        "--executor",
        type=click.Choice(["local", "dask"]),
        default="local",
        show_default=True,
        help="Where to work: here, or on a Dask cluster.",
    ),
    option("--scheduler", metavar="ADDRESS", help="Of the Dask cluster: tcp://HOST:PORT."),
)

file_options = section(
    "Files",
    option("--exclude", "--extend-exclude", multiple=True, metavar="PATTERN", help="Leave out, as in .gitignore."),
    option("--force-exclude/--no-force-exclude", default=None, help="Exclude also what is named on the command line."),
    option(
        "--respect-gitignore/--no-respect-gitignore",
        default=None,
        help="Leave out what .gitignore names.  [default: yes]",
    ),
    option(
        "--scope",
        type=click.Choice(["imports", "project"]),
        metavar="SCOPE",
        default="imports",
        help="What to analyse with the PATHs: imports, or the whole project.  [default: imports]",
    ),
    option(
        "-j", "--jobs", callback=_jobs, metavar="auto|N", default="auto", show_default=True, help="Processes to use."
    ),
    *executor_options,
    option("--no-prescan", is_flag=True, help="Analyse also what cannot matter: slower, with the same findings."),
    option("-n", "--no-cache", is_flag=True, help="Work everything out anew, and remember nothing."),
    option(
        "--cache-dir",
        type=click.Path(file_okay=False),
        metavar="PATH",
        help=f"Where to remember what was worked out.  [default: {FOLDER} in the project]",
    ),
)

known_options = section(
    "Known findings",
    option("--ignore-noqa", is_flag=True, help="Show what comments silence."),
    option("--baseline", type=click.Path(dir_okay=False), help="Leave out what this file knows."),
)

fix_options = section(
    "Fixes",
    option("--unsafe-fixes", is_flag=True, help="Apply also fixes that may change what the code does."),
    option("--diff", is_flag=True, help="Write nothing, show the changes as a patch.  [exit 1 if there are any]"),
    option(
        "--show-fixes", is_flag=True, help="List what was fixed, and why not; in a report, how each finding can be."
    ),
)
interpreters_option = option(
    "--interpreters",
    type=click.Choice(["any", "gil"]),
    help="Whose races count: `gil` leaves out what takes no GIL or CPython 3.9.  [default: by target-version]",
)

proof_options = section(
    "Proof",
    option("--confirm", is_flag=True, help="Run the code under threads: prove findings, and that fixes help."),
    option("--python", metavar="PATH", help="Interpreter to run it with."),
    option(
        "--confirm-budget",
        type=Duration(),
        metavar="TIME",
        help="For all findings, the gravest first: 90, 60s, 2m.  [default: 10s for each, 5m for all]",
    ),
    interpreters_option,
)

talk_options = section(
    "Report",
    option("-q", "--quiet", is_flag=True, help="Say what is found and what goes wrong, and nothing else."),
    option("-v", "--verbose", is_flag=True, help="Say also which configuration holds and what is looked at."),
)

color_option = option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the text.",
)


def hierarchy_for(paths: tuple[str, ...], options: dict[str, Any]) -> Hierarchy:
    """The settings for a scan of `paths`, with the options of this command line on top.

    Raises ConfigError for a configuration file, click.UsageError for an option.
    """
    here = os.getcwd()
    try:
        complaints = list(unknown_selectors(with_options(Settings(), options)))
    except BadPlugin as error:
        raise click.ClickException(str(error)) from None
    for key, complaint in complaints:
        raise click.UsageError(f"--{key.partition('.')[0]}: {complaint}")
    return load_hierarchy(
        common_folder(paths, here),
        options["config"],
        isolated=options["isolated"],
        adjust=lambda settings: with_options(settings, options),
        check=unknown_selectors,
    )


def scan_options(hierarchy: Hierarchy, options: dict[str, Any], progress: Progress | None = None) -> ScanOptions:
    """How the command line asks to scan; `progress` is told how far it has come."""
    return ScanOptions(
        hierarchy=hierarchy,
        jobs=options["jobs"],
        scheduler=scheduler_of(options),
        prescan=not options["no_prescan"],
        extra_excludes=options["exclude"],
        whole_project=options["scope"] == "project" or options.get("new_from_rev") is not None,
        comments=not options.get("ignore_noqa"),
        unsaved=options.get("unsaved", {}),
        cache=cache_folder(options),
        progress=progress,
    )


def scheduler_of(options: dict[str, Any]) -> str:
    """The address of the cluster to work on; empty for this machine. Raises click.UsageError."""
    if (options["executor"] == "dask") != bool(options["scheduler"]):
        raise click.UsageError("`--executor dask` and `--scheduler ADDRESS` go together")
    return options["scheduler"] or ""


def cache_folder(options: dict[str, Any]) -> str | None:
    """Where to remember what was worked out; a relative path lies below the project. None for nowhere."""
    if options["no_cache"]:
        return None
    return absolute(options["cache_dir"]) if options["cache_dir"] else FOLDER


def without_known(result: ScanResult, paths: Sequence[str], settings: Settings) -> ScanResult:
    """The result without what the baseline knows, where there is one. Raises BadBaseline."""
    if settings.baseline is None:
        return result
    from racelint.engine.baseline import read_baseline
    from racelint.engine.compare import against_baseline

    here = os.getcwd()
    return against_baseline(result, read_baseline(settings.baseline), settings.baseline, paths, settings, here)


def with_options(settings: Settings, options: dict[str, Any]) -> Settings:
    """The settings with the command line's on top: `--extend-select` and `--ignore` add, the rest replaces."""
    extended = {name: (*getattr(settings, name), *options.get(name, ())) for name in ("extend_select", "ignore")}
    per_file_ignores = {**settings.per_file_ignores, **options.get("per_file_ignores", {})}
    given = {name: options[name] for name in _REPLACED if options.get(name) not in (None, ())}
    confirm = {
        "python": options.get("python"),
        "total_budget": options.get("confirm_budget"),
        "interpreters": options.get("interpreters"),
    }
    proving = msgspec.structs.replace(settings.confirm, **{key: value for key, value in confirm.items() if value})
    return msgspec.structs.replace(settings, **extended, **given, per_file_ignores=per_file_ignores, confirm=proving)


_REPLACED = (
    *("select", "target_version", "force_exclude", "respect_gitignore"),
    *("min_severity", "min_confidence", "fail_on", "baseline"),
)
"""Settings that an option of the same name replaces where it is given."""
