"""RL900 unreadable-file: what the engine itself says of a file that it cannot analyse."""

from __future__ import annotations

from racelint.model.finding import Finding

CODE = "RL900"
NAME = "unreadable-file"


def unreadable_finding(display: str, message: str, line: int = 1, column: int = 1) -> Finding:
    """The finding for one file; `line` and `column` say where reading stopped, 1-based."""
    line, column = max(line, 1), max(column, 1)
    return Finding(
        code=CODE,
        name=NAME,
        message=message,
        why="Nothing in this file was checked, and other files were checked without it.",
        path=display,
        line=line,
        column=column,
        end_line=line,
        end_column=column + 1,
        severity="error",
        confidence="high",
        evidence=None,
        symbol="",
        subject=display,
    )
