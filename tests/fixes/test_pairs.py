"""Every fix on its own cases: `NAME.py` becomes `NAME.fixed.py`; one without that stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from racelint.fixes.registry import all_fixers
from tests.fixes.drafts import draft_of, mended, of_code

PAIRS = Path(__file__).parent.parent / "fixtures" / "fixes"
CASES = sorted(file for file in PAIRS.rglob("*.py") if not file.name.endswith(".fixed.py"))


def named(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.mark.parametrize("file", CASES, ids=named)
def test_pair(file: Path, snapshot: SnapshotAssertion) -> None:
    code = file.parent.name.upper()
    draft = draft_of({file.name: file.read_bytes()})
    assert of_code(draft, code), "the case has no finding to fix"
    after = mended(draft, code)
    assert after.failures == []
    fixed = file.with_suffix(".fixed.py")
    wanted = fixed if fixed.exists() else file
    assert after.draft.sources[file.name].decode() == wanted.read_text(encoding="utf-8")
    said = [
        f"{finding.line}: {fix.applicability}: {fix.message}" + (f" [{fix.reason}]" if fix.reason else "")
        for finding, fix in after.applied
    ]
    assert said == snapshot


def test_every_fix_has_both_kinds_of_cases() -> None:
    fixed = {file.parent.name.upper() for file in CASES if file.with_suffix(".fixed.py").exists()}
    kept = {file.parent.name.upper() for file in CASES if not file.with_suffix(".fixed.py").exists()}
    assert fixed == kept == set(all_fixers())
