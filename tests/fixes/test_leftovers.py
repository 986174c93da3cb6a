"""What trials leave behind is freed, though the cycle collector is paused."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from racelint.fixes.draft import Draft
from racelint.fixes.mending import mend
from racelint.fixes.trial import offers_for
from racelint.model.summary import ModuleSummary
from racelint.program import Program
from tests.fixes.drafts import draft_of, of_code

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture
def paused() -> Iterator[None]:
    """No search for cycles is made, and what earlier tests left for one is gone."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    yield
    if was_on:
        gc.enable()


@pytest.fixture
def programs(paused: None, monkeypatch: pytest.MonkeyPatch) -> list[weakref.ref[Program]]:
    """The programs that are linked meanwhile."""
    made: list[weakref.ref[Program]] = []
    link = Program.__init__

    def remembered(self: Program, *args: object) -> None:
        made.append(weakref.ref(self))
        link(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Program, "__init__", remembered)
    return made


def _several() -> Draft:
    """Files whose fixes take some trials: not all of them stand."""
    texts: Mapping[str, bytes] = {
        f"{code}_{path.stem}.py": path.read_bytes()
        for code in ("rl101", "rl104", "rl105")
        for path in sorted((FIXTURES / code).glob("*.py"))[:3]
    }
    return draft_of(texts)


def _alive(programs: Sequence[weakref.ref[Program]]) -> int:
    return sum(program() is not None for program in programs)


def test_trials_leave_no_program_behind(programs: list[weakref.ref[Program]]) -> None:
    draft = _several()
    offers = offers_for(draft, of_code(draft))
    assert offers.found
    assert len(programs) > 4
    assert _alive(programs) == 1


def test_trials_keep_no_summary_of_what_they_have_changed(paused: None) -> None:
    draft = _several()
    before = _summaries()
    offers = offers_for(draft, of_code(draft))
    assert offers.found
    assert _summaries() == before


def _summaries() -> int:
    return sum(type(one) is ModuleSummary for one in gc.get_objects())


def test_rounds_leave_no_program_behind(programs: list[weakref.ref[Program]]) -> None:
    draft = _several()
    mended = mend(draft, of_code, ("safe", "unsafe"))
    assert mended.applied
    assert _alive(programs) <= 3, "the first, the last and the one before it, whose offers are taken over"
