"""Entry point of the console script: what has to come before the first import of `racelint.cli.main`."""

from __future__ import annotations

import gc
from typing import NoReturn

COLLECT_AFTER = 100_000
"""New objects between two searches for cycles: a start makes nothing else, and next to none of it is garbage."""


def main() -> NoReturn:
    """Run the command."""
    gc.set_threshold(COLLECT_AFTER)
    from racelint.cli.main import main as command

    command()
