"""The page: a result put into its templates, with as much detail as a browser opens at once."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from racelint import __version__
from racelint.model.finding import Finding, Verdict, severity_rank
from racelint.model.overview import LockEdge, Overview
from racelint.model.result import ScanResult
from racelint.report.counts import count_line
from racelint.report.html.graph import Drawing, draw, on_cycles
from racelint.report.html.guards import by_guard
from racelint.report.html.patch import PatchLine, patch_of
from racelint.report.html.sides import Side, sides_of
from racelint.report.html.source import SourceBook
from racelint.report.html.summary import STATUSES, status_of, summary_of
from racelint.report.html.text import breakable, prose, spelled
from racelint.report.interleaving import Interleaving, interleaving_of
from racelint.report.verdicts import possibilities
from racelint.report.view import View
from racelint.rules.base import Rule

MAX_BYTES = 2_000_000
"""A page larger than this is written with less detail."""


class Detail(msgspec.Struct, frozen=True):
    """How much a page shows: lines of source around a mark, findings, and names in long lists.

    `packed` says whether what a finding shows when it is opened is compressed, and needs a script to be seen.
    """

    context: int
    findings: int
    names: int
    packed: bool


_LEVELS = (
    Detail(4, 5_000, 500, packed=False),
    Detail(2, 5_000, 100, packed=False),
    Detail(4, 5_000, 100, packed=True),
    Detail(1, 2_000, 50, packed=True),
    Detail(0, 500, 20, packed=True),
)


class FindingView(msgspec.Struct, frozen=True):
    """A finding with what the page draws of it; `anchor` is its address within the page."""

    finding: Finding
    anchor: str
    status: str
    sides: tuple[Side, ...]
    patch: tuple[PatchLine, ...]
    weave: Interleaving | None
    possibilities: tuple[tuple[str, str], ...]


def render(view: View) -> str:
    """The report as one HTML document that loads nothing and, unless a single finding is longer, fits `MAX_BYTES`."""
    result = view.result
    ordered = sorted(result.findings, key=_gravity)
    book = SourceBook(result.lines, result.overview.locked if result.overview else ())
    text = ""
    for detail in _LEVELS:
        text = _rendered(result, ordered, book, view.rules, detail)
        if len(text.encode()) <= MAX_BYTES:
            break
    return text


def _gravity(finding: Finding) -> tuple[object, ...]:
    """What is proved and grave comes first."""
    status = status_of(finding)
    proof = STATUSES.index(status) if status in STATUSES else 1
    return severity_rank(finding.severity), proof, finding.path, finding.line, finding.column, finding.code


def _rendered(
    result: ScanResult,
    findings: Sequence[Finding],
    book: SourceBook,
    rules: Mapping[str, Rule],
    detail: Detail,
) -> str:
    overview = result.overview or Overview()
    ordered_locks = sorted(overview.edges, key=lambda edge: (not edge.cycle, edge.cycle))
    shown = list(_views(findings[: detail.findings], book, detail))
    codes = sorted({view.finding.code for view in shown})
    return (
        _environment()
        .get_template("page.html")
        .render(
            title=_title(overview.coverage.paths),
            version=__version__,
            result=result,
            sentence=count_line(result),
            summary=summary_of(findings),
            findings=shown,
            at=_by_place(shown),
            packed=_packed(shown) if detail.packed else "",
            left_out=len(findings) - len(shown),
            rules=[rules[code] for code in codes if code in rules],
            overview=overview,
            edges=ordered_locks,
            drawings=_drawings(ordered_locks[: detail.names]),
            cyclic={(edge.first, edge.second) for edge in overview.edges if edge.cycle},
            round_about=on_cycles((edge.first, edge.second) for edge in overview.edges if not edge.cycle),
            guarded=by_guard(overview.locations),
            names=detail.names,
            script=_static("page.js"),
            script_hash=base64.b64encode(hashlib.sha256(_static("page.js").encode()).digest()).decode(),
            style=_static("page.css"),
        )
    )


def _by_place(views: Sequence[FindingView]) -> dict[tuple[str, int], list[FindingView]]:
    """The findings of each line."""
    found: dict[tuple[str, int], list[FindingView]] = {}
    for view in views:
        found.setdefault((view.finding.path, view.finding.line), []).append(view)
    return found


def _drawings(edges: Sequence[LockEdge]) -> list[Drawing]:
    """The lock order, what has cycles first."""
    cyclic = {edge.first for edge in edges if edge.cycle}
    drawings = draw((edge.first, edge.second) for edge in edges)
    return sorted(drawings, key=lambda drawing: not any(box.name in cyclic for box in drawing.boxes))


def _title(paths: Sequence[str]) -> str:
    """What was scanned, in words."""
    return ", ".join(paths) if paths and tuple(paths) != (".",) else "The working directory"


def _packed(views: Sequence[FindingView]) -> str:
    """The bodies of the findings as a JSON list of HTML texts, compressed."""
    template = _environment().get_template("body.html")
    bodies = [template.render(view=view) for view in views]
    data = json.dumps(bodies).encode()
    return base64.b64encode(gzip.compress(data, mtime=0)).decode()


def _views(findings: Sequence[Finding], book: SourceBook, detail: Detail) -> Iterator[FindingView]:
    seen: dict[str, int] = {}
    for finding in findings:
        name = finding.fingerprint or f"{finding.code}-{finding.line}"
        seen[name] = seen.get(name, 0) + 1
        verdict = finding.verdict or Verdict("unsupported")
        witness = verdict.witness
        yield FindingView(
            finding=finding,
            anchor=f"f-{name}" + (f"-{seen[name]}" if seen[name] > 1 else ""),
            status=status_of(finding),
            sides=tuple(sides_of(finding, book, detail.context)),
            patch=tuple(patch_of(book.lines(finding.path), finding.fix.edits)) if finding.fix else (),
            weave=interleaving_of(witness, verdict.effect) if witness is not None and witness.steps else None,
            possibilities=tuple(possibilities(verdict)),
        )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("racelint.report.html"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters["prose"] = prose
    environment.filters["breakable"] = breakable
    environment.filters["reason"] = _reason
    return environment


def _shown(value: object) -> object:
    """What an expression of a template yields, a text with what reorders or hides its neighbours spelled out."""
    return spelled(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _reason(rule: Rule) -> str:
    """Why what the rule flags is bad, as its documentation says."""
    found = re.search(r"## Why is this bad\?\n+(.*?)\n+## ", rule.docstring, re.DOTALL)
    return " ".join(found[1].split()) if found else ""


@cache
def _static(name: str) -> Markup:
    """One of our own files as it stands: the only text of a page that is not escaped."""
    source, _, _ = PackageLoader("racelint.report.html").get_source(_environment(), name)
    return Markup(source)
