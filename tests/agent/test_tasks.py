"""Controlled threads as data."""

from racelint.agent.tasks import Task, between, harness, threads

LAZY = ("held", "visits", "pending", "storage")


def started(count: int) -> list[Task]:
    return threads(harness(None), 0, [lambda: None] * count, ["one"] * count)


def test_a_thread_has_no_containers_before_they_are_asked_for() -> None:
    (task,) = started(1)
    assert not set(LAZY) & set(vars(task))


def test_what_is_made_for_a_thread_stays_and_is_its_own() -> None:
    one, other = started(2)
    for name in LAZY:
        assert getattr(one, name) is getattr(one, name)
        assert getattr(one, name) is not getattr(other, name)
    one.held.append("lock")
    assert (one.held, other.held) == (["lock"], [])


def test_threads_are_told_apart_by_number() -> None:
    assert [task.ident for task in started(3)] == [1000, 1001, 1002]


def test_threads_are_told_apart_by_who_started_them() -> None:
    parent = harness(None)
    first = threads(parent, 0, [lambda: None, lambda: None], ["one", "other"])
    (inner,) = threads(first[1], 2, [lambda: None], ["inner"])
    (last,) = threads(parent, 3, [lambda: None], ["last"])
    assert [task.origin for task in (*first, inner, last)] == [(0,), (1,), (1, 0), (2,)]


def test_a_choice_knows_whether_it_is_one_between_two_that_are_ready() -> None:
    tasks = started(3)
    assert between(tasks[:2], []).is_pair
    assert not between(tasks[:1], tasks[1:2]).is_pair
    assert not between(tasks, []).is_pair
    assert between(tasks[:1], tasks[1:2]).several
    assert not between(tasks[:1], []).several
