"""What the shell completes beside commands, options and choices: codes of rules and keys of the configuration."""

from __future__ import annotations

import click


def codes(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The codes that a word may become; of several with commas between, the last."""
    from racelint.engine.selection import RuleBook

    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{code}" for code in RuleBook() if code.startswith(last.upper())]


def keys(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The keys that a word may become."""
    from racelint.config.show import keys as known

    return [key.name for key in known() if key.name.startswith(incomplete)]
