"""RL504: arguments in a tuple, the target in its place."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.places import span_of
from racelint.model.finding import Finding
from racelint.syntax.edits import Rewriting

_TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


class ThreadArguments(Fixer):
    """`args=(x)` becomes `args=(x,)`, `Thread(work)` becomes `Thread(target=work)`, `Timer(work, 5)` becomes
    `Timer(5, work)`.

    Safe: what is there raises, or gives a string letter by letter. Not offered where the number or the names of the
    arguments do not fit: which ones are meant, nobody but the author knows.
    """

    codes = ("RL504",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        call = tree.at(span_of(finding), cst.Call)
        if call is None:
            return
        rewriting = Rewriting(tree)
        message = _rewrite(rewriting, call, finding.why)
        if message:
            yield Proposal(rewriting.code(), message)
        else:
            yield Obstacle("which arguments are meant, the code does not say")


def _rewrite(rewriting: Rewriting, call: cst.Call, advice: str) -> str:
    """Do what the finding advises; what was done, empty where that is nothing."""
    plain = [arg for arg in call.args if arg.keyword is None]
    if advice == "write `args=(x,)`":
        given = next((arg for arg in call.args if arg.keyword is not None and arg.keyword.value == "args"), None)
        given = given or (plain[-1] if len(plain) == _place_of_args(call) + 1 else None)
        if given is None:
            return ""
        rewriting.replace(given.value, _in_tuple)
        return "Give the argument in a tuple"
    if advice == "name it: `target=`" and len(plain) == 1:
        named = plain[0].with_changes(keyword=cst.Name("target"), equal=_TIGHT)
        rewriting.replace(plain[0], lambda updated: named)
        return "Name the target: the first argument is the group"
    if advice == "the interval comes first" and len(plain) == 2:
        first, second = plain
        rewriting.replace(first, lambda updated: updated.with_changes(value=second.value))
        rewriting.replace(second, lambda updated: updated.with_changes(value=first.value))
        return "Put the interval in front of the function"
    return ""


def _place_of_args(call: cst.Call) -> int:
    """Where the arguments stand among those without a name."""
    name = call.func.attr if isinstance(call.func, cst.Attribute) else call.func
    return 2 if isinstance(name, cst.Name) and name.value == "Timer" else 3


def _in_tuple(value: cst.BaseExpression) -> cst.Tuple:
    bare = value.with_changes(lpar=value.lpar[1:], rpar=value.rpar[:-1]) if value.lpar else value
    return cst.Tuple([cst.Element(bare, comma=cst.Comma())])
