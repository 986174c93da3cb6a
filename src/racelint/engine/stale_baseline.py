"""RL903 stale-baseline: an entry of the baseline that stands for no finding any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from racelint.engine.engine_rule import EngineRule
from racelint.model.finding import Finding, fingerprint_of
from racelint.rules.base import Rule

if TYPE_CHECKING:  # what a scan without a baseline never imports
    from racelint.engine.baseline import Entry


class StaleBaseline(EngineRule, Rule):
    """The baseline holds a finding that is not there any more.

    ## What it does

    Reports each entry of the file given by `--baseline` whose finding has gone, in the files that were scanned.

    ## Why is this bad?

    It has been put right: well done. But the entry stays a licence to bring the same defect back unseen.

    ## Example

    ```json
    {"code": "RL101", "path": "bank.py", "symbol": "Account.pay"}
    ```

    where `Account.pay` holds the lock by now.

    ## Use instead

    Write the baseline again: `racelint baseline src/`.

    ## How it is confirmed

    It is not: there is nothing to run.

    ## Known limits

    Silent about files that the scan does not report on, and about rules that did not run.
    """

    code = "RL903"
    name = "stale-baseline"
    since = "0.1.0"
    severity = "warning"
    confirmable = False


def stale_finding(display: str, line: int, entry: Entry) -> Finding:
    """The finding for the entry on `line` of the baseline file `display`."""
    place = f"`{entry.symbol}` in {entry.path}" if entry.symbol else entry.path
    finding = StaleBaseline().about_file(
        display,
        (line, 1, line, 2),
        message=f"{entry.code} of {place} is in the baseline and has gone",
        why="write the baseline again with `racelint baseline`, or it will hide the next one",
        subject=f"{entry.code} {entry.path} {entry.symbol}",
    )
    name = fingerprint_of(finding.code, display, "", finding.subject, entry.fingerprint, 0)
    return msgspec.structs.replace(finding, fingerprint=name)
