"""The replay string holds all of a scenario, moves with its project, and says when it is damaged."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from racelint.confirm.replay import BadReplay, Replay, read_replay, write_replay
from racelint.model.scenario import Operation, Scenario, Schedule, Site, Switch

ROOT = Path("/project")
text = st.text(max_size=40)
small = st.integers(min_value=0, max_value=10_000)
paths = st.sampled_from(["/project/bank.py", "/project/src/pkg/ä b.py", "/elsewhere/lib/x.py"])
scenarios = st.builds(
    Scenario,
    kind=st.sampled_from(["threads", "program", "processes", "cost"]),
    module=text,
    path=paths,
    sys_path=st.lists(st.sampled_from(["/project", "/project/src", "/elsewhere/lib"]), unique=True).map(tuple),
    setup=text,
    operations=st.lists(st.builds(Operation, label=text, source=text), max_size=4).map(tuple),
    after=text,
    observe=st.lists(text, max_size=3).map(tuple),
    invariant=text,
    flagged=st.lists(st.builds(Site, path=paths, line=small, column=small), max_size=3).map(tuple),
    code=st.sampled_from(["", "RL101"]),
)
switches = st.builds(Switch, thread=small, site=text, visit=small, to=small)
schedules = st.builds(Schedule, first=small, switches=st.lists(switches, max_size=6).map(tuple))


@settings(max_examples=50, deadline=None)
@given(st.builds(Replay, target=text, scenario=scenarios, schedule=schedules, digest=text))
def test_round_trip(replay: Replay) -> None:
    assert read_replay(write_replay(replay, ROOT), ROOT) == replay


@settings(max_examples=50, deadline=None)
@given(st.builds(Replay, target=text, scenario=scenarios, schedule=schedules), st.data())
def test_a_cut_string_is_refused(replay: Replay, data: st.DataObject) -> None:
    string = write_replay(replay, ROOT)
    cut = data.draw(st.integers(min_value=4, max_value=len(string) - 4))
    with pytest.raises(BadReplay):
        read_replay(string[:cut], ROOT)


@given(st.text(max_size=60))
def test_other_text_is_refused(other: str) -> None:
    for string in (other, f"rl1:{other}"):
        with pytest.raises(BadReplay):
            read_replay(string, ROOT)


def simple_replay(sites: int = 2) -> Replay:
    scenario = Scenario(
        "threads",
        "bank",
        "/project/src/bank.py",
        ("/project/src", "/project"),
        "subject = target.Account()",
        (Operation("Account.add", "subject.add(1)"), Operation("Account.take", "subject.take(1)")),
    )
    steps = tuple(Switch(n % 2, f"bank.py:Account.add:{n}", 1, 1 - n % 2) for n in range(sites))
    return Replay("bank.py::Account.add", scenario, Schedule(0, steps))


def test_the_string_follows_the_project() -> None:
    moved = read_replay(write_replay(simple_replay(), ROOT), Path("/other/place"))
    assert moved.scenario.path == "/other/place/src/bank.py"
    assert moved.scenario.sys_path == ("/other/place/src", "/other/place")


def test_the_string_is_short_and_plain() -> None:
    string = write_replay(simple_replay(), ROOT)
    assert len(string) < 400
    assert string.startswith("rl1:")
    assert string[4:].replace("-", "").replace("_", "").isalnum()


def test_a_string_may_be_wrapped_by_mail() -> None:
    string = write_replay(simple_replay(), ROOT)
    wrapped = "\n".join(string[i : i + 60] for i in range(0, len(string), 60))
    assert read_replay(wrapped, ROOT) == simple_replay()


def test_a_string_that_unpacks_to_very_much_is_refused() -> None:
    scenario = msgspec.structs.replace(simple_replay().scenario, setup="x" * 2_000_000)
    string = write_replay(msgspec.structs.replace(simple_replay(), scenario=scenario), ROOT)
    with pytest.raises(BadReplay):
        read_replay(string, ROOT)
