"""The output formats by name; each is a module of this package with one function `render(view) -> str`."""

from __future__ import annotations

import importlib

from racelint.model.finding import Severity
from racelint.report.view import View

FOR_PEOPLE = ("full", "concise", "grouped")
FOR_PROGRAMS = ("json", "json-lines", "sarif", "github", "gitlab", "junit", "rdjson")
FOR_BROWSERS = ("html",)
FORMATS = (*FOR_PEOPLE, *FOR_PROGRAMS, *FOR_BROWSERS)


def render(output_format: str, view: View) -> str:
    """`view` in one of `FORMATS`, as text with a final newline."""
    module = importlib.import_module(f"racelint.report.{output_format.replace('-', '_')}")
    text = module.render(view)
    assert isinstance(text, str)
    return text


def least_severity(output_format: str) -> Severity:
    """What is shown where the user does not say: advice only where it can be held back."""
    return "info" if output_format in ("json", "json-lines", "sarif", "rdjson", "html") else "warning"
