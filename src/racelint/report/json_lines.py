"""`--output-format json-lines`: one finding a line, the object that `json` prints."""

from __future__ import annotations

import msgspec

from racelint.report.json import finding_object
from racelint.report.view import View


def render(view: View) -> str:
    """The findings, each as one line of JSON; nothing where there is none."""
    return "".join(msgspec.json.encode(finding_object(f)).decode() + "\n" for f in view.result.findings)
