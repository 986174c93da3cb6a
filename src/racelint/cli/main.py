"""The `racelint` command: its subcommands by name, each in a module of its own that exposes `command`."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import NoReturn

import click

from racelint import __version__

SUBCOMMANDS = {
    "scan": ("racelint.cli.scan", "Find race conditions and lock misuse."),
    "baseline": ("racelint.cli.baseline", "Write down what is found today, to fail only for what is new."),
    "confirm": ("racelint.cli.confirm", "Run suspect code under threads and prove or refute a finding."),
    "run": ("racelint.cli.run", "Run a script under every interleaving of its threads."),
    "replay": ("racelint.cli.replay", "Run one recorded interleaving again."),
    "fix": ("racelint.cli.fix", "Put findings right, where a fix is known and safe."),
    "report": ("racelint.cli.report", "Write a page to look at."),
    "config": ("racelint.cli.config", "Explain what can be configured."),
    "server": ("racelint.cli.server", "Show findings in the editor (LSP)."),
    "rule": ("racelint.cli.rule", "Explain a rule."),
    "clean": ("racelint.cli.clean", "Forget what earlier scans worked out."),
}

EXIT_COULD_NOT_RUN = 2
EXIT_INTERRUPTED = 130


class LazyGroup(click.Group):
    """A group that imports a subcommand's module only to run it or to show its own help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(SUBCOMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in SUBCOMMANDS:
            return None
        module = importlib.import_module(SUBCOMMANDS[cmd_name][0])
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in SUBCOMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="racelint")
def cli() -> None:
    """Find race conditions and lock misuse in Python, and prove them.

    Exit codes: 0 clean, 1 findings, 2 could not do the job.
    """


def main() -> NoReturn:
    """Entry point of the console script: click's own handling, with a broken pipe and Ctrl-C made quiet."""
    try:
        code = cli.main(standalone_mode=False, prog_name="racelint")
    except click.exceptions.Exit as exit_:
        code = exit_.exit_code
    except click.ClickException as error:
        _complain(error)
        code = EXIT_COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("racelint: interrupted: there is no report, and no file is half written", err=True)
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        code = 0
    except Exception as error:
        if os.environ.get("RACELINT_TRACEBACK"):
            raise
        click.echo(f"racelint: internal error: {type(error).__name__}: {error}", err=True)
        click.echo("racelint: this is a defect in racelint; RACELINT_TRACEBACK=1 shows where", err=True)
        code = EXIT_COULD_NOT_RUN
    leave(code if isinstance(code, int) else 0)


def _complain(error: click.ClickException) -> None:
    """What is wrong in one line, as all complaints of racelint look, and where to read what is right."""
    click.echo(f"racelint: error: {error.format_message()}", err=True)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"racelint: `{error.ctx.command_path} --help` lists what there is", err=True)


def leave(code: int) -> NoReturn:
    """Exit with `code`, without the complaint of the interpreter where the reader of our output has gone."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    gc.freeze()  # the memory goes back with the process: to take a linked program apart costs a twelfth of a scan
    sys.exit(code)
