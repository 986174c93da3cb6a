"""What a stand-in answers, and that it is no part of an outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod

from racelint.agent.snapshot import Snapshot
from racelint.agent.stand_in import StandIn, concrete


def test_a_stand_in_has_any_shape() -> None:
    made = StandIn("client")
    assert made.connect(1, retry=True).read()["key"] is not None
    assert made.part is made.part
    assert made() is not made()
    assert list(made) == []
    assert made + 2 == 3
    assert 2 - made == 1
    assert made < 5
    assert "of " + made == "of stand-in"
    with made as inside:
        assert inside is made
    assert not hasattr(made, "__array__")


def test_only_what_was_stored_in_a_stand_in_is_state() -> None:
    one, other, third = StandIn(), StandIn(), StandIn()
    one.part.read()
    assert Snapshot().tree(one) == Snapshot().tree(other)
    third.pid = 7
    assert Snapshot().tree(third) != Snapshot().tree(other)


def test_abstract_classes_are_filled_in() -> None:
    class Shape(ABC):
        @abstractmethod
        def area(self) -> float: ...

        def twice(self) -> float:
            return 2 * self.area()

    assert concrete(Shape)().twice() == 2
    assert concrete(int) is int


def test_what_is_named_like_a_lock_is_one_lock() -> None:
    made = StandIn("value")
    assert made.get_lock() is made.get_lock()
    with made.get_lock():
        assert made.get_lock().acquire(blocking=False)
    made.get_lock().release()
    assert Snapshot().tree(made) == Snapshot().tree(StandIn("value"))


def test_what_is_named_like_a_class_of_locks_makes_new_ones() -> None:
    context = StandIn("context")
    one, other = context.RLock(), context.RLock()
    assert one is not other
    assert one() is one
