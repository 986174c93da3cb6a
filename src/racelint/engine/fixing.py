"""Fixes from a scan: offered with its findings, or applied to files that nobody else has changed meanwhile."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import msgspec

from racelint.config.settings import ConfirmSettings
from racelint.engine.collector import collector_paused
from racelint.engine.paths import absolute
from racelint.engine.prove import Prover
from racelint.engine.scan import Scanned, ScanOptions, root_of, scanned
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.worker import describe
from racelint.model.finding import Finding
from racelint.model.fix import Applicability
from racelint.model.mended import FileChange, FixResult
from racelint.model.result import Problem, ScanResult

if TYPE_CHECKING:
    from racelint.fixes.draft import Draft

Wanted = Callable[[ScanResult], Iterable[Finding]]
"""The findings of a result that are to be fixed."""


def offered(found: Scanned) -> ScanResult:
    """The result with a fix on each finding that has one, or why not. It has been tried: see `racelint.fixes.trial`."""
    from racelint.fixes.trial import offers_for

    if not found.result.findings:
        return found.result
    with collector_paused():
        offers = call_with_deep_stack(partial(offers_for, _draft(found), found.result.findings))
    findings = list(found.result.findings)
    for place, offer in offers.found.items():
        findings[place] = msgspec.structs.replace(findings[place], fix=offer.fix)
    for place, reason in offers.reasons.items():
        findings[place] = msgspec.structs.replace(findings[place], no_fix_reason=reason)
    errors = (*found.result.errors, *_defects(offers.failures))
    return msgspec.structs.replace(found.result, findings=tuple(findings), errors=errors)


def fixed(
    paths: Sequence[str],
    options: ScanOptions,
    allowed: Sequence[Applicability],
    wanted: Wanted = lambda result: result.findings,
    proving: ConfirmSettings | None = None,
    cwd: str | None = None,
) -> FixResult:
    """Scan `paths` and fix what is `wanted` in memory, round by round, until nothing is left. Raises ConfigError.

    With `proving`, the code is run: what was confirmed before a fix must be gone after it.
    """
    from racelint.fixes.mending import mend

    here = absolute(cwd or os.getcwd())
    options = msgspec.structs.replace(options, kept={})
    first = scanned(paths, options, here)
    with collector_paused():
        draft = _draft(first)
    where = {file.display: file.path for file in first.scope.files}

    @lru_cache(maxsize=2)
    def result_of(current: Draft) -> ScanResult:
        if current is draft:
            return first.result
        texts = {where[display]: current.sources[display] for display in current.changed_since(draft)}
        again = msgspec.structs.replace(options, unsaved={**options.unsaved, **texts})
        return scanned(paths, again, here).result

    prover = Prover(proving, root_of(paths, here), where) if proving is not None else None
    ways = (prover.approve,) if prover is not None else ()
    with collector_paused():
        mended = call_with_deep_stack(
            partial(mend, draft, lambda current: list(wanted(result_of(current))), allowed, *ways)
        )
        remaining = result_of(mended.draft)
    before, after = (len(list(wanted(result))) for result in (first.result, remaining))
    withheld = {finding: msgspec.structs.replace(finding, fix=fix) for finding, fix in mended.withheld}
    unfixed = {finding: msgspec.structs.replace(finding, no_fix_reason=words) for finding, words in mended.unfixed}
    left = [withheld.get(finding) or unfixed.get(finding, finding) for finding in remaining.findings]
    errors = [*remaining.errors, *_defects(mended.failures), *(prover.problems if prover is not None else ())]
    return FixResult(
        applied=tuple(msgspec.structs.replace(finding, fix=fix) for finding, fix in mended.applied),
        withheld=tuple(withheld.values()),
        unfixed=tuple(unfixed.values()),
        changes=tuple(
            FileChange(where[display], display, draft.sources[display], mended.draft.sources[display])
            for display in sorted(mended.draft.changed_since(draft))
        ),
        remaining=msgspec.structs.replace(remaining, findings=tuple(left), errors=tuple(errors)),
        gone=max(before - after, len(mended.applied)),
        helpless=max(after - len(mended.withheld), 0),
    )


def write_changes(changes: Iterable[FileChange]) -> list[Problem]:
    """Write the new bytes; a file that does not hold the old ones any more is left alone, and is a problem."""
    return [problem for change in changes if (problem := _written(change)) is not None]


def _draft(found: Scanned) -> Draft:
    from racelint.fixes.draft import Draft

    sources = {file.display: found.scope.sources[file.path] for file, _ in found.summaries}
    return Draft(found.summaries, sources, found.settings)


def _defects(failures: Iterable[tuple[Finding, Exception]]) -> list[Problem]:
    return [Problem("internal", f"the fix of {f.code} failed: {describe(error)}", f.path) for f, error in failures]


def _written(change: FileChange) -> Problem | None:
    """Replace the file in one step, through a link to what it points at; None where that worked."""
    target = os.path.realpath(change.path)
    fresh = ""
    try:
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(target), prefix=".racelint-", delete=False) as stream:
            fresh = stream.name
            stream.write(change.after)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(target, fresh)
        with open(target, "rb") as now:
            if now.read() != change.before:
                message = "changed while it was being fixed; nothing was written, run it again"
                return Problem("not-written", message, change.display)
        os.replace(fresh, target)
        fresh = ""
    except OSError as error:
        return Problem("not-written", f"cannot be written: {(error.strerror or str(error)).lower()}", change.display)
    finally:
        if fresh:
            with contextlib.suppress(OSError):
                os.unlink(fresh)
    return None
