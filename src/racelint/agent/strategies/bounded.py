"""Depth-first enumeration of plans by the number of preemptions, each schedule once and none as a prefix of another."""

from __future__ import annotations

from collections.abc import Iterator

from ..policies import Decision

MAX_PENDING = 400_000

Plan = dict[int, int]


class Frontier:
    """The plans still to run, by cost. `extend` adds what an execution showed to be possible after its plan."""

    def __init__(self) -> None:
        self._pending: dict[int, list[tuple[Plan, int]]] = {0: [({}, 0)]}
        self._cost = 0
        self.overflow = False

    def plans(self, bound: int) -> Iterator[Plan]:
        """The plans with exactly `bound` preemptions; more may be added while it runs."""
        stack = self._pending.setdefault(bound, [])
        while stack:
            plan, self._cost = stack.pop()
            yield plan
        del self._pending[bound]

    def extend(self, plan: Plan, trail: list[Decision]) -> None:
        """Queue each plan that differs from this execution in one decision after the last one of its plan."""
        first = max(plan) + 1 if plan else 0
        for number in range(first, len(trail)):
            made = trail[number]
            for option in made.options:
                if option != made.default:
                    cost = self._cost + made.cost(option)
                    pending = self._pending.setdefault(cost, [])
                    if len(pending) < MAX_PENDING:
                        pending.append(({**plan, number: option}, cost))
                    else:
                        self.overflow = True

    def is_empty(self) -> bool:
        return not any(self._pending.values())
