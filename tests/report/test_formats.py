"""What other programs read, held against their schemas or, where we may not copy those, the fields they document."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest

from racelint.model.finding import Finding, Step, Verdict, Witness, WitnessStep
from racelint.model.result import Problem, ScanResult, Silenced
from racelint.report.formats import FORMATS, render
from racelint.report.view import View
from tests.cli.command import race, racelint

SARIF_SCHEMA = json.loads((Path(__file__).parent / "schemas/sarif-2.1.0.json").read_text(encoding="utf-8"))


def finding(**changes: Any) -> Finding:
    fields: dict[str, Any] = {
        "code": "RL101",
        "name": "unguarded-mutation",
        "message": "`Account.items[0]` is 100% changed, with no lock",
        "why": "thread a and thread b may overlap",
        "path": "my bank/größe.py",
        "line": 2,
        "column": 5,
        "end_line": 2,
        "end_column": 20,
        "severity": "error",
        "confidence": "high",
        "evidence": "thread",
        "symbol": "Account.pay",
        "subject": "bank.Account.items",
        "trace": (
            Step("root", "thread `a` is started", "app.py", 9, 1),
            Step("access", "reads `items`", "my bank/größe.py", 2, 5, ("Account.lock",)),
            Step("root", "thread `b` is started", "app.py", 10, 1),
            Step("conflict", "updates `items`", "my bank/größe.py", 5, 5),
        ),
        "fingerprint": "abc",
    }
    return Finding(**(fields | changes))


WITNESS = Witness(
    ("a", "b"),
    (
        WitnessStep(0, "my bank/größe.py", 2, "self.n += 1", "read n = 0"),
        WitnessStep(1, "my bank/größe.py", 5, "self.n += 1", "read n = 0"),
        WitnessStep(0, "my bank/größe.py", 2, "self.n += 1", "wrote n = 1"),
    ),
)
PROVED = finding(verdict=Verdict("confirmed", "lost-update", "rl1:x", witness=WITNESS), line=7, fingerprint="def")
RESULT = ScanResult(
    findings=(finding(), PROVED, finding(severity="info", path="/elsewhere/\x1bx.py", trace=(), fingerprint="ghi")),
    errors=(Problem("missing-path", "no such file: 5%, or: so", "gone.py"),),
    files=3,
    silenced=(Silenced(finding(), "comment", "only statistics", 2), Silenced(finding(), "baseline")),
    lines={"my bank/größe.py": ("", "é = self.n", "")},
)
EMPTY = ScanResult((), files=1)


def sarif(result: ScanResult) -> dict[str, Any]:
    from racelint.engine.selection import rule_book

    report = json.loads(render("sarif", View(result, rules={rule.code: rule for rule in rule_book()})))
    jsonschema.Draft4Validator(SARIF_SCHEMA).validate(report)
    (run,) = report["runs"]
    assert isinstance(run, dict)
    return run


@pytest.mark.parametrize("result", [RESULT, EMPTY], ids=["findings", "none"])
@pytest.mark.parametrize("output_format", FORMATS)
def test_every_format_is_text_that_ends_in_a_newline(output_format: str, result: ScanResult) -> None:
    text = render(output_format, View(result))
    assert text.endswith("\n") or (output_format, text) == ("json-lines", "")


@pytest.mark.parametrize("output_format", ["json", "json-lines", "sarif", "gitlab", "rdjson"])
def test_control_characters_are_escaped(output_format: str) -> None:
    assert "\x1b" not in render(output_format, View(RESULT))


def test_sarif_is_valid_and_names_each_rule() -> None:
    run = sarif(RESULT)
    rules = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert "\\[0\\]" in result["message"]["text"], "brackets are no links"
    for rule in rules:
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
    assert sarif(EMPTY)["results"] == []


def test_sarif_gives_the_interleaving_a_thread_flow_for_each_thread() -> None:
    flow, trace = sarif(RESULT)["results"][1]["codeFlows"]
    lanes = {thread["id"]: [place["executionOrder"] for place in thread["locations"]] for thread in flow["threadFlows"]}
    assert lanes == {"a": [1, 3], "b": [2]}
    assert [len(thread["locations"]) for thread in trace["threadFlows"]] == [2, 2]


def test_sarif_shows_silenced_findings_as_suppressed() -> None:
    suppressions = [result["suppressions"] for result in sarif(RESULT)["results"]]
    assert suppressions[:3] == [[], [], []]
    assert [entry["kind"] for (entry,) in suppressions[3:]] == ["inSource", "external"]
    assert suppressions[3][0]["justification"] == "only statistics"


def test_sarif_links_the_other_places_and_quotes_paths() -> None:
    result = sarif(RESULT)["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "my%20bank/gr%C3%B6%C3%9Fe.py"
    ids = {str(place["id"]) for place in result["relatedLocations"]}
    assert set(re.findall(r"\]\((\d+)\)", result["message"]["text"])) == ids
    assert result["partialFingerprints"] == {"racelint/v1": "abc"}


def test_sarif_tells_what_could_not_be_done() -> None:
    (invocation,) = sarif(RESULT)["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "no such file: 5%, or: so"


GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string"},
            "check_name": {"type": "string"},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "positions"],
                "properties": {
                    "path": {"type": "string"},
                    "positions": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "object", "required": ["line"]}},
                    },
                },
            },
        },
    },
}
POSITION = {
    "type": "object",
    "required": ["line"],
    "properties": {"line": {"type": "integer", "minimum": 1}, "column": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
PLACE = {
    "type": "object",
    "required": ["path"],
    "properties": {
        "path": {"type": "string"},
        "range": {
            "type": "object",
            "required": ["start"],
            "properties": {"start": POSITION, "end": POSITION},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
RDJSON = {
    "type": "object",
    "required": ["diagnostics"],
    "properties": {
        "source": {"type": "object", "properties": {"name": {"type": "string"}, "url": {"type": "string"}}},
        "severity": {"enum": ["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]},
        "diagnostics": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["message", "location"],
                "properties": {
                    "message": {"type": "string"},
                    "location": PLACE,
                    "severity": {"enum": ["UNKNOWN_SEVERITY", "ERROR", "WARNING", "INFO"]},
                    "code": {"type": "object", "required": ["value"], "properties": {"value": {"type": "string"}}},
                    "related_locations": {
                        "type": "array",
                        "items": {"type": "object", "required": ["location"], "properties": {"location": PLACE}},
                    },
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}
"""What GitLab's documentation and reviewdog's definition demand."""


@pytest.mark.parametrize("result", [RESULT, EMPTY], ids=["findings", "none"])
@pytest.mark.parametrize(("output_format", "schema"), [("gitlab", GITLAB), ("rdjson", RDJSON)])
def test_json_for_other_programs_has_the_fields_they_document(
    output_format: str, schema: dict[str, Any], result: ScanResult
) -> None:
    jsonschema.Draft7Validator(schema).validate(json.loads(render(output_format, View(result))))


def test_gitlab_fingerprints_are_unique() -> None:
    prints = [issue["fingerprint"] for issue in json.loads(render("gitlab", View(RESULT)))]
    assert len(set(prints)) == len(prints)


def test_rdjson_counts_columns_in_bytes() -> None:
    (first, *_) = json.loads(render("rdjson", View(RESULT)))["diagnostics"]
    assert first["location"]["range"]["start"] == {"line": 2, "column": 6}


@pytest.mark.parametrize("result", [RESULT, EMPTY], ids=["findings", "none"])
def test_junit_counts_agree_with_what_it_holds(result: ScanResult) -> None:
    root = ElementTree.fromstring(render("junit", View(result)).encode())
    assert root.tag == "testsuites"
    for element in (root, *root):
        assert int(element.attrib["tests"]) == len(element.findall(".//testcase")) > 0
        assert int(element.attrib["failures"]) == len(element.findall(".//failure"))
        assert int(element.attrib["errors"]) == len(element.findall(".//error"))
    for case in root.iter("testcase"):
        assert case.attrib["name"] and case.attrib["classname"]
    for failure in (*root.iter("failure"), *root.iter("error")):
        assert failure.attrib["message"] and failure.attrib["type"]


def test_github_commands_are_one_line_each_and_escaped() -> None:
    lines = render("github", View(RESULT)).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == 4
    for command in commands:
        match = re.fullmatch(r"::(error|warning|notice) ((?:\w+=[^,:]*,?)+)::(.*)", command)
        assert match, command
        assert not re.search("%(?!25|0A|0D|3A|2C)", match[2] + match[3])
    assert "100%25 changed" in commands[0]
    assert "title=racelint RL101 unguarded-mutation" in commands[0]


def test_grouped_names_a_file_once() -> None:
    lines = render("grouped", View(RESULT)).splitlines()
    assert lines.count("my bank/größe.py") == 1
    assert "[confirmed]" in lines[2]


def test_several_reports_of_one_scan(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race() + race("  # racelint: ignore[RL101] why").replace("Counter", "Other"))
    arguments = ["--output-format", "concise"]
    for output_format in ("sarif", "junit", "json", "json-lines", "github", "gitlab", "rdjson", "grouped", "full"):
        arguments += ["--output-format", f"{output_format}:out.{output_format}"]
    answer = racelint("scan", *arguments, cwd=tmp_path)
    assert answer.returncode == 1, answer
    assert answer.stdout.startswith("a.py:9:")
    report = json.loads((tmp_path / "out.sarif").read_text())
    jsonschema.Draft4Validator(SARIF_SCHEMA).validate(report)
    assert [bool(result["suppressions"]) for result in report["runs"][0]["results"]] == [False, True]
    assert len((tmp_path / "out.json-lines").read_text().splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--output-format", "full", "--output-format", "json"],
        ["--output-format", "full:"],
        ["--output-format", "full:a", "-o", "b"],
        ["--output-format", "json:no/such/folder/x"],
    ],
)
def test_reports_that_cannot_be_written_are_refused(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("")
    answer = racelint("scan", *arguments, cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "Traceback" not in answer.stderr
