"""`racelint run`: a script under every interleaving of the threads that it starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from racelint.cli.exploring import (
    finish,
    invariant_option,
    result_options,
    search_options,
    stop_cleanly,
    with_options,
)
from racelint.cli.options import configuration_options
from racelint.cli.sections import SectionedCommand, section


@click.command(
    cls=SectionedCommand, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("script", type=click.Path(exists=True, dir_okay=False))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGUMENT]...")
@search_options
@section("Scenario", invariant_option)
@result_options
@configuration_options
def command(script: str, arguments: tuple[str, ...], **options: Any) -> int:
    """Run SCRIPT with its ARGUMENTs as `python SCRIPT` does, under threads that racelint schedules.

    It starts its threads itself; what it prints and what its variables hold must not depend on their timing, and
    --invariant, an expression over its variables, must hold at its end.

    This runs the code. Exit codes: 0 nothing went wrong, 1 some interleaving does, 2 could not run.
    """
    from racelint.config.load import ConfigError, load_settings
    from racelint.confirm import CannotRun, Program, TargetResult, confirm_program, limits_of
    from racelint.engine.scan import common_folder, root_of

    stop_cleanly()
    here = os.getcwd()
    try:
        settings, _ = load_settings(common_folder([script], here), options["config"], isolated=options["isolated"])
        limits = with_options(limits_of(settings.proving), options)
        program = Program(Path(script).resolve(), arguments=arguments)
        verdict = confirm_program(program, limits, Path(root_of([script], here)))
    except (CannotRun, ConfigError) as error:
        return finish([], [{"kind": "target", "message": str(error), "target": script}], options)
    return finish([TargetResult(script, None, verdict)], [], options)
