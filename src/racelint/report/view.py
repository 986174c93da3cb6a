"""What a format is given to render."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from racelint.model.result import ScanResult
from racelint.report.style import PLAIN, Style
from racelint.rules.base import Rule


class View(msgspec.Struct, frozen=True):
    """A result with only the findings to show, and for whom: `width` is that of the reader's terminal in columns.

    `rules` are all that can be reported, by code. A `quiet` report for people has findings and nothing else.
    """

    result: ScanResult
    style: Style = PLAIN
    width: int = 100
    rules: Mapping[str, Rule] = {}
    quiet: bool = False
