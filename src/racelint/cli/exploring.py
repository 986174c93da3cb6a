"""What the commands that run code share: how long and how far to search, and what to write down of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from racelint.cli.duration import Duration
from racelint.cli.fragments import Expression
from racelint.cli.options import color_option, interpreters_option
from racelint.cli.output import EXIT_CLEAN, EXIT_COULD_NOT_RUN, EXIT_FINDINGS
from racelint.cli.sections import option, section

if TYPE_CHECKING:
    from racelint.confirm import Limits, TargetResult

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

MEBIBYTE = 1024 * 1024

search_options: Callable[[Decorated], Decorated] = section(
    "Search",
    option("--python", metavar="PATH", help="Interpreter or environment that runs the code."),
    option(
        "--confirm-budget",
        type=Duration(),
        metavar="TIME",
        help="For all there is to confirm: 90, 60s, 2m.  [default: 10s for each]",
    ),
    interpreters_option,
    option("--memory", type=click.IntRange(min=64), metavar="MIB", help="Address space of each run.  [default: 2048]"),
    option("--bound", type=click.IntRange(min=0), help="Preemptions to explore completely.  [default: 4]"),
    option("--seed", type=int, help="Of the random schedules at the end of a search.  [default: 0]"),
)

invariant_option: Callable[[Decorated], Decorated] = option(
    "--invariant",
    type=Expression(),
    metavar="EXPR",
    help="Must be true after every schedule.",
)

result_format_option: Callable[[Decorated], Decorated] = option(
    "--output-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or for programs.",
)

result_options: Callable[[Decorated], Decorated] = section(
    "Result",
    option("--save", type=click.Path(dir_okay=False), metavar="FILE", help="Write the replay strings there."),
    option(
        "--emit-test",
        type=click.Path(file_okay=False),
        metavar="DIR",
        help="Write a pytest file there for each race: it fails until that is mended.",
    ),
    result_format_option,
    color_option,
    option(
        "--fail-on",
        type=click.Choice(["confirmed", "inconclusive"]),
        default="confirmed",
        metavar="VERDICT",
        help="Exit 1 only for what is confirmed, or also for what is inconclusive.  [default: confirmed]",
    ),
)


def with_options(limits: Limits, options: dict[str, Any]) -> Limits:
    """The limits with those of the command line on top. A budget that is given may go to a single target."""
    import msgspec

    budget = options.get("confirm_budget")
    given = {
        "python": options.get("python"),
        "budget": max(budget, limits.budget) if budget else None,
        "total": budget,
        "memory": options["memory"] * MEBIBYTE if options.get("memory") else None,
        "bound": options.get("bound"),
        "seed": options.get("seed"),
        "interpreters": options.get("interpreters"),
        "fixtures": options.get("fixtures"),
        "setup": options.get("setup"),
        "invariant": options.get("invariant"),
    }
    return msgspec.structs.replace(limits, **{name: value for name, value in given.items() if value is not None})


def stop_cleanly() -> None:
    """Leave through the clean-up when told to stop: no process or folder of a run stays behind."""
    signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def finish(results: Sequence[TargetResult], errors: Sequence[dict[str, Any]], options: dict[str, Any]) -> int:
    """Write down what is asked for, print the results and give the exit code."""
    if options.get("save"):
        _save(results, options["save"])
    if options.get("emit_test"):
        _emit(results, Path(options["emit_test"]))
    return print_results(results, errors, options["output_format"], options["color"], options["fail_on"])


def print_results(
    results: Sequence[TargetResult],
    errors: Sequence[dict[str, Any]],
    output_format: str,
    color: str,
    fail_on: str = "confirmed",
) -> int:
    """Print the results and give the exit code: 1 for what is confirmed, and for verdicts of the kind `fail_on`."""
    from racelint.cli.output import deliver

    for error in errors:
        click.echo(f"racelint: error: {error['message']}", err=True)
    if output_format == "json":
        deliver(_as_json(results, errors))
    elif results:
        deliver(_as_text(results, color))
    if errors:
        return EXIT_COULD_NOT_RUN
    failing = any(result.verdict.status in ("confirmed", fail_on) for result in results)
    return EXIT_FINDINGS if failing else EXIT_CLEAN


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


def _emit(results: Sequence[TargetResult], folder: Path) -> None:
    from racelint.report.emitted import emitted_tests

    tests = emitted_tests([(result.target, result.verdict) for result in results])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in tests.items():
            (folder / name).write_text(text, encoding="utf-8")
            click.echo(f"racelint: wrote {folder / name}", err=True)
    except OSError as error:
        raise click.ClickException(f"cannot write to {folder}: {error.strerror or error}") from None
