"""Where a function takes and gives back a lock by hand, its `with` blocks come first: so two sections become one."""

from __future__ import annotations

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.unrolled import found_again
from racelint.fixes.with_statement import WithStatement
from racelint.model.finding import Finding

_MOST_SECTIONS = 4


def with_sections(draft: Draft, finding: Finding) -> tuple[Draft, Finding] | None:
    """The draft in which the finding's function has `with` blocks for `acquire()` and `release()`, as far as that is
    safe, and the finding there; None where it takes no lock by hand, or the finding is another one then.

    Raises UnreadableSource.
    """
    current = draft
    for _ in range(_MOST_SECTIONS):
        text = _rewritten(current, finding)
        if text is None:
            break
        before, current = current, current.changed({finding.path: text})
        if before is not draft:
            before.rest()
    if current is draft:
        return None
    again = found_again(draft, finding, current)
    if again is None:
        current.rest()
        return None
    return current, again


def _rewritten(draft: Draft, finding: Finding) -> str | None:
    """The text with one more pair gone."""
    fixer = WithStatement()
    for other in draft.findings:
        if other.code in fixer.codes and (other.path, other.symbol) == (finding.path, finding.symbol):
            for proposal in fixer.propose(other, draft):
                if isinstance(proposal, Proposal) and proposal.applicability == "safe":
                    return proposal.text
    return None
