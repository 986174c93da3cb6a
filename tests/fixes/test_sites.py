"""Where a lock is to be held."""

from __future__ import annotations

from racelint.fixes.places import suspect_of
from racelint.fixes.sites import all_sites
from tests.fixes.drafts import draft_of, of_code
from tests.fixes.test_pairs import PAIRS


def test_a_new_lock_is_taken_by_what_others_call_back() -> None:
    source = (PAIRS / "rl101" / "called_back.py").read_bytes()
    draft = draft_of({"a.py": source})
    (finding,) = of_code(draft, "RL101")
    suspect = suspect_of(draft.program, finding)
    assert suspect is not None
    assert {site.function.qualname for site in all_sites(draft, suspect, None)} == {"Node.refresh", "Node._done"}
