"""The outcomes of the orders that were seen: executions with one happens-before order are looked at once."""

from __future__ import annotations

from collections.abc import Callable

from .execution import Event
from .order import Order
from .outcome import Outcome

MAX_PLANS = 100_000


class Known:
    """Outcomes by happens-before order, and by plan: two executions of one plan need not even be compared.

    `states` are those of the last execution that was looked for by its order.
    """

    def __init__(self, order: Order) -> None:
        self._order = order
        self.states: list[int] | None = None
        self._by_order: dict[int, Outcome] = {}
        self._by_plan: dict[tuple[tuple[int, int], ...], Outcome] = {}

    def of_plan(self, plan: dict[int, int]) -> Outcome | None:
        """The outcome of the execution that made `plan`, if there was one."""
        return self._by_plan.get(tuple(plan.items()))

    def outcome(self, plan: dict[int, int], events: list[Event], look: Callable[[], Outcome]) -> Outcome:
        """That of the execution that made a new `plan`, and `events`; `look` finds it out if it is not known."""
        self.states = states = self._order.states(events)
        state = states[-1]
        found = self._by_order.get(state)
        if found is None:
            found = self._by_order[state] = look()
        if len(self._by_plan) < MAX_PLANS:
            self._by_plan[tuple(plan.items())] = found
        return found
