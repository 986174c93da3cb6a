"""Controlled threads as data."""

from racelint.agent.tasks import Task

LAZY = ("held", "visits", "pending", "storage")


def test_a_thread_has_no_containers_before_they_are_asked_for() -> None:
    task = Task(0, "one", None)
    assert not set(LAZY) & set(vars(task))


def test_what_is_made_for_a_thread_stays_and_is_its_own() -> None:
    one, other = Task(0, "one", None), Task(1, "other", None)
    for name in LAZY:
        assert getattr(one, name) is getattr(one, name)
        assert getattr(one, name) is not getattr(other, name)
    one.held.append("lock")
    assert (one.held, other.held) == (["lock"], [])


def test_threads_are_told_apart_by_number() -> None:
    assert [Task(index, "", None).ident for index in range(3)] == [1000, 1001, 1002]
