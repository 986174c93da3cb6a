"""What is right is what some order of the operations gives, those of one thread in their order."""

from __future__ import annotations

import pytest

from racelint.agent.strategies.serial import MAX_ORDERS, serial_orders
from tests.agent.conftest import AgentRunner

STOCK = """
from contextlib import nullcontext
from threading import Lock

class Stock:
    def __init__(self):
        self.lock = {lock}
        self.made = 0
        self.items = []

    def add(self):
        with self.lock:
            self.made += 1  # FLAG
            self.items.append(self.made)

    def take(self):
        with self.lock:
            return self.items.pop() if self.items else None
"""


def test_orders_keep_that_of_each_thread() -> None:
    orders = [order for order, expire in serial_orders([1, 1, 2]) if not expire]
    assert orders[:2] == [(0, 1, 2, 2), (2, 2, 1, 0)]
    assert len(orders) == len(set(orders)) == 12
    assert (2, 0, 1, 2) in orders


def test_without_further_operations_they_are_those_of_the_threads() -> None:
    orders = [order for order, expire in serial_orders([1, 1, 1]) if not expire]
    assert orders == [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1)]
    assert sum(1 for _ in serial_orders([1] * 9)) <= 2 * (MAX_ORDERS + 2)


@pytest.mark.parametrize("takers", [1, 2])
@pytest.mark.parametrize(("lock", "confirmed"), [("Lock()", False), ("nullcontext()", True)])
def test_an_operation_between_two_of_another_thread_is_no_race(
    agent: AgentRunner, takers: int, lock: str, confirmed: bool
) -> None:
    operations = [*["stock.take()"] * takers, "stock.add()\nstock.add()", *["stock.add()"] * confirmed]
    answer = agent.run(agent.job(STOCK.format(lock=lock), operations, "stock = target.Stock()", code="RL101"))
    assert (answer["status"] == "confirmed") == confirmed, answer
