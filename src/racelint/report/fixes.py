"""What fixing did, for people: a list of the fixes and a line that sums up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from racelint.model.finding import Finding
from racelint.model.mended import FixResult
from racelint.report.counts import several
from racelint.report.style import Style


def render_fixes(result: FixResult, style: Style) -> str:
    """Each fix under its file, the reason with those that are not safe; then those that were not proved, and the
    findings for which there is none, and why."""
    unproved = [finding for finding in result.withheld if finding.fix is not None and finding.fix.proof]
    lines = [
        *_listed(result.applied, style),
        *_headed("left out:", unproved, style),
        *_headed("no fix:", result.unfixed, style),
    ]
    return "".join(f"{line}\n" for line in lines)


def _headed(heading: str, findings: Sequence[Finding], style: Style) -> Iterator[str]:
    if findings:
        yield style(heading, "bold")
        yield from _listed(findings, style)


def _listed(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    ordered = sorted(findings, key=lambda finding: (finding.path, finding.line, finding.column, finding.code))
    for path, here in groupby(ordered, key=lambda finding: finding.path):
        yield style(f"{path}:", "bold")
        for finding in here:
            if finding.fix is None:
                yield f"  {finding.line:5} {finding.code} {finding.no_fix_reason}"
                continue
            yield f"  {finding.line:5} {finding.code} {finding.fix.message}"
            for remark in filter(None, (finding.fix.reason, finding.fix.proof)):
                yield f"              {remark}"


def fix_line(result: FixResult, *, written: bool, listed: bool) -> str:
    """`3 findings fixed in 2 files; 1 more with --unsafe-fixes; 2 findings without a fix (why: --show-fixes)`.

    In the conditional where nothing was written. `listed`: the reasons have been shown.
    """
    files = len(result.changes)
    verb = "fixed" if written else "would be fixed"
    done = f"{several(result.gone, 'finding')} {verb} in {several(files, 'file')}"
    parts = [done if result.applied else f"nothing {verb}"]
    unsafe = sum(f.fix is not None and f.fix.applicability == "unsafe" and not f.fix.proof for f in result.withheld)
    if unsafe:
        parts.append(f"{unsafe} more with --unsafe-fixes")
    sketches = sum(f.fix is not None and f.fix.applicability == "display-only" for f in result.withheld)
    if sketches:
        parts.append(f"{sketches} shown in reports alone")
    unproved = sum(f.fix is not None and bool(f.fix.proof) for f in result.withheld)
    if unproved:
        parts.append(f"{unproved} left out, since the race was not shown to be gone")
    if result.helpless:
        parts.append(f"{several(result.helpless, 'finding')} without a fix")
    untold = (unproved or result.unfixed) and not listed
    return "; ".join(parts) + (" (why: --show-fixes)" if untold else "")
