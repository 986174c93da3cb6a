"""Outcomes whose counterfactual is unfinished: searched with the fewest switches they take, or left open."""

from __future__ import annotations

from collections.abc import Iterator

from .found import Found
from .replay import Nondeterminism, Replayer, every_schedule
from .search import Search

MOST_SHRUNK = 12
"""Outcomes in doubt that are shrunk: each takes as many executions as it has switches, and more."""


def settled(search: Search, found: Iterator[Found]) -> Iterator[Found]:
    """What is found, without what is explained after all; what is still in doubt then is noted as `search.open`."""
    shrunk = 0
    for one in found:
        if not one.in_doubt:
            yield one
            continue
        shrunk += 1
        settles = shrunk <= MOST_SHRUNK and _settle(search, one)
        if settles is None:
            continue
        if settles:
            yield one
        else:
            search.open[one.outcome.key] = one.outcome


def _settle(search: Search, found: Found) -> bool | None:
    """Whether the counterfactual refutes the outcome with as many preemptions as its smallest schedule has switches.

    None where it gives the outcome, so that there is nothing wrong.
    """
    replayer = Replayer(search)
    try:
        schedule = replayer.schedule(found)
        smallest, outcome = replayer.shrink(schedule, found.effect, every_schedule, in_doubt=True)
    except Nondeterminism:
        return False
    explained = search.explains(outcome, len(smallest["switches"]))
    if explained:
        return None
    found.outcome, found.schedule, found.in_doubt = outcome, smallest, explained is None
    return explained is False
