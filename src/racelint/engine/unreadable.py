"""RL900 unreadable-file: what the engine itself says of a file that it cannot analyse."""

from __future__ import annotations

from racelint.engine.engine_rule import EngineRule
from racelint.model.finding import Finding
from racelint.rules.base import Rule


class UnreadableFile(EngineRule, Rule):
    """A file that cannot be read or parsed, so that nothing in it was checked.

    ## What it does

    Reports a file that is missing its permissions, is no text, is not in the encoding it declares, has a syntax
    error, or nests deeper than a parser can follow. The engine itself reports it, since no rule ever sees such a file.

    ## Why is this bad?

    A scan that passes over a file in silence looks like a clean one.

    ## Example

    ```python
    def stingy(self:  # RL900
        self.money += 10
    ```

    ## Use instead

    ```python
    def stingy(self):
        self.money += 10
    ```

    ## How it is confirmed

    It is not: there is nothing to run.

    ## Known limits

    A file that Python accepts and racelint's parser does not is reported too. It cannot be suppressed by a comment;
    leave the file out with `exclude`, or the rule with `--ignore RL900`.
    """

    code = "RL900"
    name = "unreadable-file"
    since = "0.1.0"
    severity = "error"
    confirmable = False


def unreadable_finding(display: str, message: str, line: int = 1, column: int = 1) -> Finding:
    """The finding for one file; `line` and `column` say where reading stopped, 1-based."""
    line, column = max(line, 1), max(column, 1)
    why = "nothing in this file was checked, and other files were checked without it"
    span = (line, column, line, column + 1)
    return UnreadableFile().about_file(display, span, message=message, why=why, subject=display)
