"""Drafts of source text, without an engine."""

from __future__ import annotations

from collections.abc import Mapping

from racelint.config.settings import Settings
from racelint.fixes.draft import Draft
from racelint.fixes.mending import Mended, mend
from racelint.model.finding import Finding
from racelint.model.source import SourceFile
from racelint.summarize import summarize_source


def draft_of(sources: Mapping[str, bytes]) -> Draft:
    """The draft of `{relative path: source}`."""
    modules = []
    for path, source in sources.items():
        name = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        modules.append((SourceFile(path, path, name, True), summarize_source(source, path)))
    return Draft(modules, sources, Settings())


def of_code(draft: Draft, *codes: str) -> list[Finding]:
    """The findings of some rules, of all where none is named."""
    return [finding for finding in draft.findings if not codes or finding.code in codes]


def mended(draft: Draft, *codes: str) -> Mended:
    """The draft after all fixes of some rules, safe or not."""
    return mend(draft, lambda current: of_code(current, *codes), ("safe", "unsafe"))
