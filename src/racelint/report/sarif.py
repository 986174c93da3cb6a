"""`--output-format sarif`: SARIF 2.1.0, for code scanning and for viewers that step through an interleaving.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from racelint import __version__
from racelint.model.finding import Finding, Step
from racelint.model.result import Problem, ScanResult, Silenced
from racelint.report.json import encode
from racelint.report.sarif_flows import flows_of
from racelint.report.sarif_location import location, uri
from racelint.report.view import View
from racelint.rules.base import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_RANKS = {"high": 90.0, "medium": 60.0, "low": 30.0}


def render(view: View) -> str:
    """The report as one JSON object with a final newline; silenced findings are in it, as suppressed."""
    result = view.result
    order = {code: position for position, code in enumerate(view.rules)}
    shown = [(finding, None) for finding in result.findings]
    silenced = [(entry.finding, entry) for entry in result.silenced]
    run = {
        "tool": {"driver": _driver(view.rules)},
        "automationDetails": {"id": "racelint/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": not result.errors,
                "toolExecutionNotifications": [_notification(problem) for problem in result.errors],
            }
        ],
        "results": [_result(finding, entry, order, result) for finding, entry in (*shown, *silenced)],
    }
    return encode({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _driver(rules: Mapping[str, Rule]) -> dict[str, Any]:
    return {
        "name": "racelint",
        "version": __version__,
        "semanticVersion": __version__,
        "informationUri": "https://github.com/racelint/racelint",
        "rules": [_rule(rule) for rule in rules.values()],
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.code,
        "name": type(rule).__name__,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.summary},
        "help": {"text": rule.docstring, "markdown": rule.docstring},
        "defaultConfiguration": {"enabled": rule.default_on, "level": LEVELS[rule.severity]},
        "properties": {
            "tags": ["concurrency", *(["confirmable"] if rule.confirmable else [])],
            "precision": "high",
            "problem.severity": {"error": "error", "warning": "warning", "info": "recommendation"}[rule.severity],
        },
    }


def _result(
    finding: Finding, silenced: Silenced | None, order: Mapping[str, int], result: ScanResult
) -> dict[str, Any]:
    related = [step for step in finding.trace if not _is_own(step, finding)]
    text = f"{finding.message}: {finding.why}" if finding.why else finding.message
    links = "".join(f"\n[{step.message}]({number})" for number, step in enumerate(related, 1))
    found = {
        "ruleId": finding.code,
        "ruleIndex": order.get(finding.code, -1),
        "level": LEVELS[finding.severity],
        "rank": _RANKS[finding.confidence],
        "message": {"text": _plain(text) + links},
        "locations": [location(finding.path, finding.line, finding.column, (finding.end_line, finding.end_column))],
        "relatedLocations": [
            {"id": number, **location(step.path, step.line, step.column, message=step.message)}
            for number, step in enumerate(related, 1)
        ],
        "partialFingerprints": {"racelint/v1": finding.fingerprint},
        "codeFlows": flows_of(finding),
        "suppressions": [_suppression(silenced)] if silenced is not None else [],
        "properties": {"confidence": finding.confidence, "symbol": finding.symbol, **_proved(finding)},
    }
    if result.compared:
        found["baselineState"] = "unchanged" if silenced is not None and silenced.by == "baseline" else "new"
    return found


def _is_own(step: Step, finding: Finding) -> bool:
    return (step.path, step.line, step.column) == (finding.path, finding.line, finding.column)


def _plain(text: str) -> str:
    """`text` with nothing that SARIF would take for a link."""
    return text.replace("[", r"\[").replace("]", r"\]")


def _suppression(silenced: Silenced) -> dict[str, Any]:
    kind = "inSource" if silenced.by == "comment" else "external"
    reason = silenced.reason or ("known to the baseline" if kind == "external" else "")
    return {"kind": kind, **({"justification": reason} if reason else {})}


def _proved(finding: Finding) -> dict[str, Any]:
    if finding.verdict is None:
        return {}
    verdict = finding.verdict
    return {"verdict": verdict.status, "effect": verdict.effect, "replay": verdict.schedule}


def _notification(problem: Problem) -> dict[str, Any]:
    places = [{"physicalLocation": {"artifactLocation": {"uri": uri(problem.path)}}}] if problem.path else []
    return {"level": "error", "message": {"text": problem.message}, "locations": places}
