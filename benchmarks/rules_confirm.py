"""Whether `confirm` proves the findings in the bad example of a rule, and nothing in the good one."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

from racelint.config.settings import ConfirmSettings
from racelint.confirm import CannotRun, confirm_finding, confirm_target
from racelint.model.finding import Finding, Verdict
from racelint.rules.base import Rule


def settings(budget: float) -> ConfirmSettings:
    return ConfirmSettings(sys.executable, budget)


def proofs(rule: Rule, bad: Path, found: list[Finding], budget: float) -> list[Verdict]:
    """The verdicts on the rule's own findings in its bad example."""
    os.chdir(bad.parent)
    own = [finding for finding in found if finding.code == rule.code]
    return [confirm_finding(finding, settings(budget), bad.parent) for finding in own]


def alarms(good: Path, budget: float) -> list[tuple[str, Verdict]]:
    """What is confirmed of the classes and functions of the good example, which are safe."""
    os.chdir(good.parent)
    body = ast.parse(good.read_text(encoding="utf-8")).body
    names = [node.name for node in body if isinstance(node, ast.ClassDef | ast.FunctionDef)]
    found = []
    for name in names:
        try:
            results = confirm_target(f"{good.name}::{name}", [], settings(budget), good.parent)
        except CannotRun:
            continue
        found += [(name, one.verdict) for one in results if one.verdict.status == "confirmed"]
    return found
