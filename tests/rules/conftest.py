"""Rules on source text, without the command line and without files."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

import pytest

from racelint.config.settings import Settings
from racelint.model.finding import Finding
from racelint.model.source import SourceFile
from racelint.program import Program, link
from racelint.rules.registry import all_rules
from racelint.summarize import summarize_source

Sources = dict[str, str] | str
Check = Callable[..., list[Finding]]


def linked(sources: Sources, settings: Settings | None = None) -> Program:
    """The program of `{relative path: source}`, or of one file's source."""
    files = {"sample.py": sources} if isinstance(sources, str) else sources
    modules = []
    for path, text in files.items():
        module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        source = SourceFile(path, path, module, True)
        modules.append((source, summarize_source(dedent(text).encode(), path)))
    return link(modules, settings or Settings())


def findings(sources: Sources, *codes: str, settings: Settings | None = None) -> list[Finding]:
    """What the rules (all without `codes`) say of the sources, in order of path and line."""
    program = linked(sources, settings)
    rules = [rule for rule in all_rules() if not codes or rule.code in codes]
    found = [finding for rule in rules for finding in rule.check(program)]
    return sorted(found, key=lambda finding: (finding.path, finding.line, finding.code, finding.column))


@pytest.fixture
def check() -> Check:
    """`check(sources, "RL201")` gives the findings; `sources` as for `linked`."""
    return findings
