"""Fixes of several rules in one file, which must get on with one another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from racelint.fixes.draft import Draft
from racelint.fixes.mending import Mended, Ruling, mend
from racelint.fixes.trial import offers_for
from racelint.model.finding import Finding
from tests.fixes.drafts import draft_of, mended, of_code

COROUTINES = """\
import asyncio
import threading


class Pages:
    def __init__(self):
        self.lock = threading.Lock()
        self.pages = {}

    async def get(self, key):
        with self.lock:
            if key not in self.pages:
                self.pages[key] = await self.load(key)
            return self.pages[key]

    async def renew(self, key):
        if key in self.pages:
            page = await self.load(key)
            self.pages[key] = page

    async def load(self, key):
        await asyncio.sleep(1)
        return key


async def main():
    pages = Pages()
    await asyncio.gather(pages.get(1), pages.get(2), pages.renew(1), pages.renew(2))
"""
CROWDED = """\
import threading


class Jobs:
    def __init__(self):
        self.done = 0
        self.thread = threading.Thread(target=self.run, args=(3)).start(); print("started")

    def run(self, turns):
        self.done += 1; print(turns)

    def more(self):
        self.done += 1
        self.thread.join()
"""

THREE = """\
import threading

full = threading.Condition()
empty = threading.Condition()
ended = threading.Condition()


def tell():
    full.notify()
    empty.notify()
    ended.notify()
"""


def ruled(approve: Callable[[str, str], Ruling]) -> Mended:
    """THREE after the fixes that `approve` lets pass, by what the finding speaks of and the new text."""

    def ruling(draft: Draft, finding: Finding, texts: Mapping[str, str]) -> Ruling:
        return approve(finding.subject.removeprefix("a."), texts["a.py"])

    return mend(draft_of({"a.py": THREE.encode()}), lambda draft: of_code(draft, "RL302"), ("safe",), ruling)


def test_coroutines_that_share_state_take_the_lock_that_has_become_theirs() -> None:
    after = mended(draft_of({"a.py": COROUTINES.encode()}), "RL701", "RL702")
    text = after.draft.sources["a.py"].decode()
    assert {finding.code for finding, _ in after.applied} == {"RL701", "RL702"}
    assert text.count("asyncio.Lock()") == 1
    assert text.count("async with self.lock:") == 2


def test_fixes_of_one_line_are_made_in_turns() -> None:
    after = mended(draft_of({"a.py": CROWDED.encode()}))
    text = after.draft.sources["a.py"].decode()
    assert {finding.code for finding, _ in after.applied} == {"RL101", "RL502", "RL504"}
    assert "        self.thread = threading.Thread(target=self.run, args=(3,))\n        self.thread.start()\n" in text
    assert text.count("        with self._lock:\n            self.done += 1\n") == 2
    assert not [finding for finding in after.draft.findings if finding.severity != "info"]


def test_a_lock_around_strangers_is_shown_alone() -> None:
    source = Path(__file__).parent.parent / "fixtures" / "fixes" / "rl104" / "strangers.py"
    draft = draft_of({"a.py": source.read_bytes()})
    findings = of_code(draft, "RL104")
    fixes = [offer.fix for _, offer in sorted(offers_for(draft, findings).found.items())]
    assert [fix.applicability for fix in fixes] == ["display-only"] * len(findings)
    assert "which may wait" in fixes[0].reason and "handed in" in fixes[1].reason and "outside" in fixes[2].reason
    after = mended(draft, "RL104")
    assert (after.applied, len(after.withheld)) == ([], len(findings))


@pytest.mark.parametrize("needed", [("full", "empty"), ("full", "ended"), ("full", "empty", "ended")])
def test_fixes_that_help_together_alone_are_made_together(needed: tuple[str, ...]) -> None:
    def approve(subject: str, text: str) -> Ruling:
        good = subject in needed and all(f"with {name}:" in text for name in needed)
        return Ruling(good, "gone" if good else "still there", breaks=not good)

    after = ruled(approve)
    text = after.draft.sources["a.py"].decode()
    assert {name for name in ("full", "empty", "ended") if f"with {name}:" in text} == set(needed)
    assert sorted(finding.subject for finding, _ in after.applied) == sorted(f"a.{name}" for name in needed)
    assert all(fix.proof.startswith("with the fix of RL302 on line") for _, fix in after.applied)
    assert all(fix.proof == "still there" for _, fix in after.withheld)
    assert len(after.applied) + len(after.withheld) == 3


def test_what_helps_in_no_company_is_left_out() -> None:
    after = ruled(lambda subject, text: Ruling(False, "still there", breaks=True))
    assert (after.draft.sources["a.py"].decode(), after.applied, len(after.withheld)) == (THREE, [], 3)


def test_what_was_refused_for_another_reason_is_not_tried_in_company() -> None:
    asked = []

    def approve(subject: str, text: str) -> Ruling:
        asked.append(subject)
        return Ruling(False, "the total budget ended before it was tried")

    assert ruled(approve).applied == []
    assert sorted(asked) == ["empty", "ended", "full"]
