"""RL902 bad-directive: a comment that means to speak to racelint and cannot be obeyed."""

from __future__ import annotations

from racelint.engine.engine_rule import EngineRule
from racelint.model.finding import Finding
from racelint.model.suppression import Malformed
from racelint.rules.base import Rule


class BadDirective(EngineRule, Rule):
    """A `# racelint:` comment that silences nothing because it is blanket, misspelt, or names no rule.

    ## What it does

    Reports `# racelint: ignore` without codes, a code that no rule has, and a word after `# racelint:` that means
    nothing.

    ## Why is this bad?

    Who wrote it believes that a finding is silenced, a lock declared, or a class checked, and it is not. A comment that
    silences every rule would hide races that nobody has thought of yet, so there is none.

    ## Example

    ```python
    import threading

    hits = 0

    def hit():
        global hits
        hits += 1  # racelint: ignore  # RL902

    threading.Thread(target=hit).start()
    ```

    ## Use instead

    ```python
    import threading

    hits = 0

    def hit():
        global hits
        hits += 1  # racelint: ignore[RL101] only statistics

    threading.Thread(target=hit).start()
    ```

    ## How it is confirmed

    It is not: there is nothing to run.

    ## Known limits

    A misspelt `racelint` itself is an ordinary comment.
    """

    code = "RL902"
    name = "bad-directive"
    since = "0.1.0"
    severity = "warning"
    confirmable = False


def malformed_finding(display: str, comment: Malformed) -> Finding:
    """The finding for a comment that cannot be read."""
    from racelint.engine.directives import FILE_IGNORE, VERBS

    if comment.codes is None:
        import difflib

        close = difflib.get_close_matches(comment.verb, VERBS, n=1, cutoff=0.5)
        message = f"`{comment.verb}` is no directive" + (f"; did you mean `{close[0]}`?" if close else "")
        why = f"this comment has no effect; the directives are {', '.join(VERBS)}"
    else:
        where = "the whole file" if comment.verb == FILE_IGNORE else "this line"
        message = f"`{comment.verb}` names no rule, so it silences nothing"
        why = f"a comment cannot silence every rule for {where}; write `# racelint: {comment.verb}[RL101] reason`"
    return _finding(display, (comment.line, comment.column, comment.line, comment.end_column), message, why)


def unknown_code_finding(display: str, line: int, column: int, end_column: int, code: str, hint: str) -> Finding:
    """The finding for a code in a comment that is no rule's; `hint` names the nearest."""
    message = f"no rule has the code `{code}`{hint}"
    return _finding(display, (line, column, line, end_column), message, "this comment silences nothing under that code")


def _finding(display: str, span: tuple[int, int, int, int], message: str, why: str) -> Finding:
    return BadDirective().about_file(display, span, message=message, why=why, subject=message)
