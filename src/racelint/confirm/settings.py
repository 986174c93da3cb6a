"""The limits of a confirmation: what the configuration says, and what only its own command line can say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from racelint.config.settings import ConfirmSettings
from racelint.model.scenario import Budget

MEBIBYTE = 1024 * 1024


class Limits(msgspec.Struct, frozen=True):
    """`ConfirmSettings` in the units of the search, with its own limits.

    `budget` is wall seconds for one finding or target, `total` for the whole run; `memory` is bytes of address space
    for each child process; `bound` is the number of preemptions explored completely before the random tail;
    `interpreters` are those that must be able to show it; `fixtures` is the path of a Python file whose `make_<Name>`
    functions build what racelint cannot, or empty; `factories` name functions that do, by class or parameter. `setup`
    are statements that end every set-up, `invariant` is an expression that must be true after every schedule.
    """

    python: str | None = None
    budget: float = 10.0
    total: float = 300.0
    memory: int = 2048 * MEBIBYTE
    schedules: int = 20_000
    bound: int = 4
    seed: int = 0
    interpreters: Literal["any", "gil"] = "any"
    fixtures: str = ""
    factories: Mapping[str, str] = {}
    setup: str = ""
    invariant: str = ""

    @property
    def alone(self) -> float:
        """Seconds for something that shares the run with nothing else."""
        return min(self.budget, self.total)

    def of_search(self, seconds: float, schedules: int | None = None) -> Budget:
        """The budget of one search that lasts so long at most."""
        return Budget(
            seconds=seconds,
            schedules=self.schedules if schedules is None else schedules,
            memory=self.memory,
            bound=self.bound,
            seed=self.seed,
            interpreters=self.interpreters,
        )


def limits_of(settings: ConfirmSettings | Limits) -> Limits:
    """The same settings with the limits filled in."""
    if isinstance(settings, Limits):
        return settings
    return Limits(
        python=settings.python,
        budget=settings.budget,
        total=settings.total_budget,
        memory=settings.memory * MEBIBYTE,
        bound=settings.bound,
        seed=settings.seed,
        interpreters=settings.interpreters or "any",
        fixtures=settings.fixtures or "",
        factories=settings.factories,
    )
