"""Help with the options under headings: forty in one list tell nobody anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

COLUMN = 32
"""Where the explanations begin, in every section alike."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class SectionedOption(click.Option):
    """An option that knows the heading it is shown under.

    One that is `bare` may be given without a value, and takes one only behind an equals sign: what follows is a path.
    """

    def __init__(self, *args: Any, section: str = "", bare: bool = False, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.section = section
        self.bare = bare


class SectionedCommand(click.Command):
    """A command whose help shows its options by section, in the order in which they were declared."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        bare = {name for param in self.params if getattr(param, "bare", False) for name in param.opts}
        end = args.index("--") if "--" in args else len(args)
        options = [f"{argument}=" if argument in bare else argument for argument in args[:end]]
        return super().parse_args(ctx, [*options, *args[end:]])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if isinstance(param, click.Option) and record is not None:
                title = getattr(param, "section", "Other")
                sections.setdefault(title, []).append((record[0].ljust(COLUMN), record[1]))
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=COLUMN)


def section(title: str, *options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Options (from `option`) under one heading, as one decorator that keeps their order."""

    def decorate(command: Decorated) -> Decorated:
        for declare in reversed(options):
            command = declare(command)
        for param in getattr(command, "__click_params__", []):
            if isinstance(param, SectionedOption) and not param.section:
                param.section = title
        return command

    return decorate


def option(*declarations: str, **attributes: Any) -> Callable[[Decorated], Decorated]:
    """As `click.option`, for a section."""
    return click.option(*declarations, cls=SectionedOption, **attributes)
