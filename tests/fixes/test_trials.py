"""How often a program is linked to find out which fixes stand: what is independent is tried together."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.fixes import draft as drafts
from racelint.fixes.trial import offers_for
from racelint.program import Program
from tests.fixes.drafts import draft_of, of_code

FIXTURES = Path(__file__).parents[1] / "fixtures"


class Links:
    """Counts the programs that drafts are linked to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self._link = drafts.link
        monkeypatch.setattr(drafts, "link", self.link)

    def link(self, *args: object) -> Program:
        self.count += 1
        return self._link(*args)  # type: ignore[arg-type]

    def offers(self, source: bytes, files: int) -> tuple[int, int]:
        """How many fixes so many files of one text get, and how often they are linked for it."""
        self.count = 0
        draft = draft_of({f"file_{number}.py": source for number in range(files)})
        found = offers_for(draft, of_code(draft)).found
        return len(found), self.count


@pytest.mark.parametrize("name", ["rl101/new_locks.py", "rl104/checks.py"])
def test_more_files_take_no_more_trials(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (FIXTURES / "fixes" / name).read_bytes()
    links = Links(monkeypatch)
    offered, linked = links.offers(source, 1)
    assert offered > 1
    assert linked > 4, "some proposals fail"
    assert links.offers(source, 4) == (4 * offered, linked)


def test_one_text_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = (FIXTURES / "fixes" / "rl101" / "new_locks.py").read_bytes()
    links = Links(monkeypatch)
    draft = draft_of({"file.py": source})
    text = source.decode() + "# the end\n"
    said = draft.changed({"file.py": text}).findings
    draft.changed({"file.py": text}).rest()
    assert draft.changed({"file.py": text}).findings == said
    assert links.count == 1


def test_what_rests_is_linked_again_when_it_is_asked_for() -> None:
    draft = draft_of({"file.py": (FIXTURES / "fixes" / "rl101" / "new_locks.py").read_bytes()})
    before = [function.id for function in draft.program.index.functions]
    draft.rest()
    assert [function.id for function in draft.program.index.functions] == before
