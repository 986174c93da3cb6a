"""Depth-first enumeration of plans by the number of preemptions, each schedule once and none as a prefix of another."""

from __future__ import annotations

from collections.abc import Iterator

from ..execution import Event
from ..order import Order
from ..policies import Decision

MAX_PENDING = 400_000

Plan = dict[int, int]


class Frontier:
    """The plans still to run, by cost. `extend` adds what an execution showed to be possible after its plan.

    With an `order`, a choice is made once in each state that differs in the order of conflicting accesses. Costs rise
    from plan to plan, so the first one to reach a state is the cheapest. `cost` is that of the plan given last,
    `overflow` says that some plans were not kept.
    """

    def __init__(self, order: Order | None = None) -> None:
        self._pending: dict[int, list[tuple[Plan, int]]] = {0: [({}, 0)]}
        self.cost = 0
        self._order = order
        self._tried: set[tuple[int, int, int]] = set()
        self.overflow = False

    def plans(self, bound: int) -> Iterator[Plan]:
        """The plans with exactly `bound` preemptions; more may be added while it runs."""
        stack = self._pending.setdefault(bound, [])
        while stack:
            plan, self.cost = stack.pop()
            yield plan
        del self._pending[bound]

    def extend(self, plan: Plan, trail: list[Decision], events: list[Event], states: list[int] | None = None) -> None:
        """Queue each plan that differs from this execution in one of the decisions after its own.

        `states` are those of the `events`, where they are known already.
        """
        if states is None and self._order is not None:
            states = self._order.states(events)
        for made in trail:
            for option, cost in made.others():
                if states is not None:
                    place = (states[made.events], made.running, option)
                    if place in self._tried:
                        continue
                    self._tried.add(place)
                self._queue({**plan, made.number: option}, self.cost + cost)

    def _queue(self, plan: Plan, cost: int) -> None:
        pending = self._pending.setdefault(cost, [])
        if len(pending) < MAX_PENDING:
            pending.append((plan, cost))
        else:
            self.overflow = True

    def is_empty(self) -> bool:
        return not any(self._pending.values())
