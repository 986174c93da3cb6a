"""`--statistics`: how many findings each rule has, the most frequent first."""

from __future__ import annotations

from collections import Counter

from racelint.report.counts import joined
from racelint.report.json import encode
from racelint.report.view import View

FORMATS = ("full", "concise", "grouped", "json")


def render(output_format: str, view: View) -> str:
    """The counts as a table, or as JSON where that is the format."""
    counts = Counter((finding.code, finding.name) for finding in view.result.findings)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    if output_format == "json":
        return encode([{"code": code, "name": name, "count": count} for (code, name), count in ordered])
    width = len(str(max(counts.values(), default=0)))
    lines = [f"{count:>{width}}  {view.style(code, 'bold')}  {name}" for (code, name), count in ordered]
    return joined(lines, view)
