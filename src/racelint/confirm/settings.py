"""The limits of a confirmation: what the configuration says, and what only its own command line can say."""

from __future__ import annotations

from racelint.config.settings import ConfirmSettings

MEBIBYTE = 1024 * 1024


class Limits(ConfirmSettings, frozen=True):
    """`ConfirmSettings` with the search's own limits.

    `budget` (inherited) is wall seconds for one finding or target, `total` for the whole run; `memory` is bytes of
    address space for each child process; `bound` is the number of preemptions explored completely before the random
    tail; `fixtures` is the path of a Python file whose `make_<Name>` functions build what racelint cannot, or empty.
    """

    total: float = 300.0
    memory: int = 2048 * MEBIBYTE
    schedules: int = 20_000
    bound: int = 4
    seed: int = 0
    fixtures: str = ""


def limits_of(settings: ConfirmSettings) -> Limits:
    """The same settings with the limits filled in."""
    if isinstance(settings, Limits):
        return settings
    return Limits(python=settings.python, budget=settings.budget)
