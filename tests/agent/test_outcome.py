"""What is said of an outcome."""

from __future__ import annotations

import pytest

from tests.agent.conftest import AgentRunner

MOVED = """
class Recent:
    def __init__(self):
        self.data = {"key": 1}

    def get(self):
        if "key" in self.data:
            value = self.data.pop("key")
            self.data["key"] = value
            return value
        return None
"""


@pytest.mark.parametrize("operations", [2, 3])
def test_operations_of_one_name_are_told_apart(agent: AgentRunner, operations: int) -> None:
    answer = agent(MOVED, ["c.get()"] * operations, "c = target.Recent()")
    assert answer["status"] == "confirmed", answer
    assert "returned None" in answer["outcome"], answer
    assert all("returned None" not in other and other for other in answer["expected"]), answer
