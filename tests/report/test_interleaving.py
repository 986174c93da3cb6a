"""What is made of an interleaving before it is drawn."""

from __future__ import annotations

import pytest

from racelint.model.finding import Effect, Verdict, Witness, WitnessStep
from racelint.report.interleaving import interleaving_of
from racelint.report.lanes import render_lanes
from racelint.report.style import PLAIN
from racelint.report.verdicts import render_verdict


def step(thread: int, line: int, action: str, path: str = "bank.py") -> WitnessStep:
    return WitnessStep(thread, path, line, f"line {line}", action)


LOST = Witness(
    ("stingy", "spendy"),
    (
        step(0, 12, "read money = 100"),
        step(1, 17, "read money = 100"),
        step(1, 17, "wrote money = 80"),
        step(0, 12, "wrote money = 110"),
    ),
)


def test_steps_are_taken_apart() -> None:
    beats = interleaving_of(LOST, "lost-update").beats
    assert [(beat.thread, beat.deed, beat.name, beat.value) for beat in beats] == [
        (0, "read", "money", "100"),
        (1, "read", "money", "100"),
        (1, "write", "money", "80"),
        (0, "write", "money", "110"),
    ]


def test_the_source_stands_once_for_steps_on_one_line() -> None:
    assert [beat.source for beat in interleaving_of(LOST, "lost-update").beats] == ["line 12", "line 17", "", ""]


def test_a_write_over_an_unseen_one_is_where_it_goes_wrong() -> None:
    beats = interleaving_of(LOST, "lost-update").beats
    assert [beat.wrong for beat in beats] == ["", "", "", "overwrites money = 80, which it has not seen"]


def test_a_write_after_a_fresh_read_is_right() -> None:
    steps = (*LOST.steps[1:3], step(0, 12, "read money = 80"), step(0, 12, "wrote money = 90"))
    assert not interleaving_of(Witness(LOST.threads, steps), "lost-update").goes_wrong


def test_a_thread_without_a_step_has_no_lane() -> None:
    found = interleaving_of(Witness(("main", "a", "a"), (step(2, 1, "read n = 0"), step(1, 1, "read n = 0"))), None)
    assert found.threads == ("a #1", "a #2")
    assert [beat.thread for beat in found.beats] == [1, 0]


def test_a_value_may_look_like_an_action() -> None:
    (beat,) = interleaving_of(Witness(("a",), (step(0, 1, "wrote text = 'x = 1 raised y'"),)), None).beats
    assert (beat.name, beat.value) == ("text", "'x = 1 raised y'")


def test_without_such_a_write_it_goes_wrong_where_a_thread_goes_on() -> None:
    steps = (step(0, 1, "called items()"), step(1, 9, "called items()"), step(0, 1, "called append()"))
    beats = interleaving_of(Witness(("a", "b"), steps), "not-serializable").beats
    assert [beat.wrong for beat in beats] == ["", "", "goes on as if nothing had come between"]
    assert not interleaving_of(Witness(("a", "b"), steps[:2]), "not-serializable").goes_wrong


def test_an_exception_goes_wrong_where_it_is_raised() -> None:
    steps = (step(0, 1, "read d = {}"), step(1, 2, "wrote d = {1: 2}"), step(0, 1, "raised RuntimeError: changed"))
    assert [beat.wrong for beat in interleaving_of(Witness(("a", "b"), steps), "exception").beats][2] == "this raises"


@pytest.mark.parametrize("effect", ["deadlock", "hang"])
def test_a_deadlock_goes_wrong_where_each_thread_waits_last(effect: Effect) -> None:
    steps = (step(0, 1, "waits in a.acquire()"), step(0, 2, "waits in b.acquire()"), step(1, 3, "waits in a.acquire()"))
    beats = interleaving_of(Witness(("one", "two"), steps), effect).beats
    assert [bool(beat.wrong) for beat in beats] == [False, True, True]


def test_threads_of_one_name_are_numbered() -> None:
    each = tuple(step(thread, 1, "called f") for thread in range(3))
    assert interleaving_of(Witness(("w", "w", "main"), each), None).threads == ("w #1", "w #2", "main")


def test_a_thread_without_a_name_gets_a_lane() -> None:
    assert interleaving_of(Witness(("a",), (step(1, 1, "called f"),)), None).threads == ("thread 1",)


def test_nothing_in_it_is_obeyed_by_a_terminal() -> None:
    bell = "\x1b]0;owned\x07"
    steps = [
        WitnessStep(thread, f"{bell}.py", 1, f"n = 1  # {bell}", f"{deed} n{bell} = {bell}")
        for thread, deed in ((0, "read"), (1, "read"), (1, "wrote"), (0, "wrote"))
    ]
    steps.append(WitnessStep(0, "other.py", 2, "pass", "called"))
    witness = Witness((f"first{bell}", f"second{bell}"), tuple(steps))
    assert interleaving_of(witness, "lost-update").goes_wrong
    for width in (40, 120):
        assert not set("".join(render_lanes(witness, width, "lost-update"))) & set("\x1b\x07")
    verdict = Verdict("confirmed", outcome=bell, expected=(bell,), reason=bell)
    assert not set("".join(render_verdict(verdict, 80, PLAIN))) & set("\x1b\x07")


def test_places_name_the_file_where_there_are_several() -> None:
    one, two, none = step(0, 1, "read x = 1"), step(0, 2, "read x = 1", "other.py"), step(0, 0, "called f", "<string>")
    assert [beat.place for beat in interleaving_of(Witness(("a",), (one, two, none)), None).beats] == [
        "bank.py:1",
        "other.py:2",
        "",
    ]
    assert [beat.place for beat in interleaving_of(Witness(("a",), (one,)), None).beats] == ["1"]
