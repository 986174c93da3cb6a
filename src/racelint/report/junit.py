"""`--output-format junit`: a test report as JUnit writes it, which every CI server reads.

https://github.com/testmoapp/junitxml
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from racelint.model.finding import Finding
from racelint.model.result import Problem
from racelint.report.view import View

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, even escaped."""


def render(view: View) -> str:
    """The report as XML: a suite for each file, a failed test for each finding, one passed test where all is well."""
    result = view.result
    root = Element("testsuites", name="racelint")
    for path, findings in groupby(result.findings, key=lambda finding: finding.path):
        _suite(root, path, findings)
    if result.errors:
        _errors(root, result.errors)
    if not len(root):
        suite = SubElement(root, "testsuite", name="racelint", tests="1", failures="0", errors="0")
        SubElement(suite, "testcase", name=f"no findings in {result.files} files", classname="racelint")
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in root)))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'


def _suite(root: Element, path: str, findings: Iterable[Finding]) -> None:
    suite = SubElement(root, "testsuite", name=_clean(path))
    for finding in findings:
        name = f"{finding.code} {finding.name} at {finding.line}:{finding.column}"
        case = SubElement(suite, "testcase", name=name, classname=_clean(path), file=_clean(path))
        case.set("line", str(finding.line))
        failure = SubElement(case, "failure", message=_clean(finding.message), type=finding.severity)
        steps = (f"{step.path}:{step.line}: {step.message}" for step in finding.trace)
        place = f"{finding.path}:{finding.line}:{finding.column}"
        failure.text = _clean("\n".join([f"{place}: {finding.message}", finding.why, *steps]))
    suite.attrib |= {"tests": str(len(suite)), "failures": str(len(suite)), "errors": "0"}


def _errors(root: Element, problems: tuple[Problem, ...]) -> None:
    number = str(len(problems))
    suite = SubElement(root, "testsuite", name="racelint", tests=number, failures="0", errors=number)
    for problem in problems:
        case = SubElement(suite, "testcase", name=_clean(problem.path or problem.kind), classname="racelint")
        SubElement(case, "error", message=_clean(problem.message), type=problem.kind)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
