"""Why a fix is not safe, in one sentence."""

from __future__ import annotations

from collections.abc import Iterable

_RUNS = " would run with the lock held"
_MOST_NAMED = 3


def runs_locked(name: str) -> str:
    """The clause that a call of this name comes under the lock."""
    return f"{name}{_RUNS}"


def in_one(clauses: Iterable[str]) -> str:
    """All clauses, each once; the calls that come under the lock in a single one, where the first of them stands."""
    every = list(dict.fromkeys(clauses))
    calls = [clause.removesuffix(_RUNS) for clause in every if clause.endswith(_RUNS)]
    named, more = calls[:_MOST_NAMED], len(calls) - _MOST_NAMED
    if more == 1:
        named, more = calls, 0
    listed = named if more <= 0 else [*named, f"{more} other calls"]
    together = runs_locked(" and ".join(filter(None, (", ".join(listed[:-1]), *listed[-1:]))))
    return "; ".join(dict.fromkeys(together if clause.endswith(_RUNS) else clause for clause in every))
