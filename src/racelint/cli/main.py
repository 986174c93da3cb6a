"""The `racelint` command: its subcommands by name, each in a module of its own that exposes `command`."""

from __future__ import annotations

import errno
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
CANNOT_PRINT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)
"""What goes wrong with standard output: a full disk, or none behind it."""


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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with `help [COMMAND]` for `[COMMAND] --help` and the nearest command where there is none."""
        if args[0] == "help":
            if len(args) == 1:
                click.echo(ctx.get_help())
                ctx.exit()
            args = [args[1], "--help"]
        if args[0] not in SUBCOMMANDS and not args[0].startswith("-"):
            from racelint.cli.mistakes import no_such_command

            ctx.fail(no_such_command(args[0], SUBCOMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in SUBCOMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="racelint")
def cli() -> None:
    """Find race conditions and lock misuse in Python, and prove them.

    Exit codes: 0 clean, 1 findings, 2 could not do the job.
    """


def main() -> NoReturn:
    """Entry point of the console script: click's own handling, with a broken pipe and Ctrl-C made quiet."""
    _open_streams()
    try:
        code = cli.main(standalone_mode=False, prog_name="racelint")
    except click.exceptions.Exit as exit_:
        code = exit_.exit_code
    except click.ClickException as error:
        from racelint.cli.mistakes import complaint

        click.echo(complaint(error), err=True)
        code = EXIT_COULD_NOT_RUN
    except (click.Abort, KeyboardInterrupt):
        click.echo("racelint: interrupted: there is no report, and no file is half written", err=True)
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        code = 0
    except Exception as error:
        if isinstance(error, OSError) and error.errno in CANNOT_PRINT and error.filename is None:
            click.echo(f"racelint: error: cannot write to standard output: {error.strerror}", err=True)
            leave(EXIT_COULD_NOT_RUN)
        if os.environ.get("RACELINT_TRACEBACK"):
            raise
        click.echo(f"racelint: internal error: {type(error).__name__}: {error}", err=True)
        click.echo("racelint: this is a defect in racelint; RACELINT_TRACEBACK=1 shows where", err=True)
        code = EXIT_COULD_NOT_RUN
    leave(code if isinstance(code, int) else 0)


def _open_streams() -> None:
    """Put the null device where a standard stream is closed: a file that we open must not come to stand for it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            if os.open(os.devnull, os.O_RDWR) != number:  # taken since: leave that alone
                continue
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def leave(code: int) -> NoReturn:
    """Exit with `code`, without the complaint of the interpreter where our output cannot go anywhere."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    gc.freeze()  # the memory goes back with the process: to take a linked program apart costs a twelfth of a scan
    sys.exit(code)
