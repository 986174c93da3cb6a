"""What holds of every fix, on all sources that the rules are tested with."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from racelint.fixes.failed_trial import UNKNOWN_SHAPE
from racelint.fixes.registry import all_fixers
from racelint.fixes.trial import offers_for
from racelint.rules.base import Rule
from racelint.rules.registry import all_rules
from racelint.syntax.source import UnreadableSource
from tests.fixes.drafts import draft_of, mended, of_code

FIXTURES = Path(__file__).parent.parent / "fixtures"
FIXED = [rule for rule in all_rules() if rule.code in all_fixers()]
LEFT = {"RL504": 1}
"""How many findings of a bad example only its author can put right."""
FILES = sorted(FIXTURES.glob("rl[0-9][0-9][0-9]/*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_fixed_sources_parse_and_stay_as_they_are(file: Path) -> None:
    draft = draft_of({file.name: file.read_bytes()})
    after = mended(draft, *all_fixers())
    assert after.failures == []
    ast.parse(after.draft.sources[file.name])
    assert not after.draft.telling - draft.telling
    again = mended(after.draft, *all_fixers())
    assert again.applied == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_finding_of_a_rule_with_a_fix_has_one_or_a_reason(file: Path) -> None:
    draft = draft_of({file.name: file.read_bytes()})
    asked = of_code(draft, *all_fixers())
    offers = offers_for(draft, asked)
    assert sorted((*offers.found, *offers.reasons)) == list(range(len(asked)))
    for place, reason in offers.reasons.items():
        assert reason and reason != UNKNOWN_SHAPE, asked[place]
        assert reason.count("`") % 2 == 0 and reason == reason.strip(" .") and "\n" not in reason


@pytest.mark.parametrize("rule", FIXED, ids=lambda rule: rule.code)
def test_the_bad_example_of_a_rule_is_fixed(rule: Rule) -> None:
    draft = draft_of({"example.py": rule.example("Example").encode()})
    after = mended(draft, rule.code)
    assert after.applied
    left = [finding for finding in after.draft.findings if finding.severity != "info"]
    assert len(left) == LEFT.get(rule.code, 0)


def test_no_fix_for_what_cannot_be_given_back() -> None:
    with pytest.raises(UnreadableSource):
        draft_of({"a.py": b"x = 1\n"}).changed({"a.py": "x = \n"})
