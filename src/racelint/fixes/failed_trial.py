"""Why a fix that was tried is not offered: what is still found with it, or comes with it."""

from __future__ import annotations

from collections.abc import Collection

from racelint.fixes.draft import Draft, Key, key_of
from racelint.model.finding import Finding, severity_rank

UNKNOWN_SHAPE = "the code has a shape that the fix does not know"
UNREADABLE = "the fix would leave a file that cannot be read"


def words_for_what_stays(finding: Finding, after: Draft) -> str:
    """A clause for a fix of `finding` that leaves it where it was in the draft `after` the fix."""
    key = key_of(finding)
    left = next((other for other in after.said_by(finding.code) if key_of(other) == key), None)
    why = f": {left.why}" if left is not None and left.why else ""
    return f"with what the fix can do it would still be found{why}"


def words_for_what_comes(finding: Finding, after: Draft, new: Collection[Key]) -> str:
    """A clause for a fix of `finding` that brings findings which are `new`: of the gravest of them."""
    come = [other for other in after.findings if key_of(other) in new and other.severity != "info"]
    worst = min(come, key=lambda other: severity_rank(other.severity), default=None)
    if worst is None:
        return UNKNOWN_SHAPE
    where = f" in `{worst.symbol}`" if worst.symbol and worst.symbol != finding.symbol else ""
    file = f" of {worst.path}" if worst.path != finding.path else ""
    return f"the fix would bring {worst.code}{where}{file}: {worst.message}"
