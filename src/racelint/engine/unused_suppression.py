"""RL901 unused-suppression: a comment that silences nothing any more."""

from __future__ import annotations

from collections.abc import Sequence

from racelint.engine.engine_rule import EngineRule
from racelint.model.finding import Finding
from racelint.model.suppression import Suppression
from racelint.rules.base import Rule


class UnusedSuppression(EngineRule, Rule):
    """A comment silences a rule that has nothing to say there.

    ## What it does

    Reports each code in a `# racelint: ignore[…]`, `# racelint: file-ignore[…]` or `# noqa: RL…` comment that silences
    no finding, where the rules it names did run on the file.

    ## Why is this bad?

    The comment outlives the defect that it excused, and will silence the next one, which nobody has looked at.

    ## Example

    ```python
    class Account:
        def __init__(self):
            self.money = 0  # racelint: ignore[RL101] never raced  # RL901
    ```

    ## Use instead

    ```python
    class Account:
        def __init__(self):
            self.money = 0
    ```

    ## How it is confirmed

    It is not: there is nothing to run.

    ## Known limits

    Silent where the analysis did not see the whole package or project, as for a single file without
    `--scope project`: what the comment silences may need a thread that another file starts.
    """

    code = "RL901"
    name = "unused-suppression"
    since = "0.1.0"
    severity = "warning"
    confirmable = False


def unused_finding(display: str, comment: Suppression, unused: Sequence[str]) -> Finding:
    """The finding for the codes of one comment that silenced nothing."""
    names = " and ".join(f"`{code}`" for code in unused)
    place = "in this file" if comment.lines is None else "here"
    whole = "remove the comment" if len(unused) == len(comment.codes) else f"take {names} out of the comment"
    return UnusedSuppression().about_file(
        display,
        (comment.line, comment.column, comment.line, comment.end_column),
        message=f"{names} {'is' if len(unused) == 1 else 'are'} silenced {place}, and nothing violates "
        f"{'it' if len(unused) == 1 else 'them'}",
        why=f"{whole}, or it will hide the next one",
        subject=" ".join(unused),
    )
