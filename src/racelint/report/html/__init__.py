"""`--output-format html`: one page to look at: findings, interleavings, locks and what they guard."""

from racelint.report.html.page import render

__all__ = ["render"]
