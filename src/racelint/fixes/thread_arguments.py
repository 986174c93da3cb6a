"""RL504: arguments in a tuple, the target in its place, each argument where the target takes it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.fitting_arguments import fitted
from racelint.fixes.places import span_of
from racelint.fixes.starting_call import StartingCall
from racelint.fixes.target_slots import in_place
from racelint.model.finding import Finding
from racelint.program.thread_use.thread_arguments import ThreadArguments as Arguments
from racelint.syntax.edits import Rewriting


class ThreadArguments(Fixer):
    """`args=(x)` becomes `args=(x,)`, `Thread(work)` becomes `Thread(target=work)`, `Thread(work, (x,))` becomes
    `Thread(target=work, args=(x,))`, `Timer(work, 5)` becomes `Timer(5, work)`; `args={"name": x}` becomes `kwargs=`,
    and `kwargs=(x,)` becomes `args=`.

    Where the arguments do not fit: a tuple that was given as one argument is handed over part by part
    (`submit(work, (a, b))`, `submit(work, args=(a, b))`), `pool.map(work, pairs)` of what is certainly made of tuples
    becomes `starmap`, `map(work, zip(a, b))` of an executor `map(work, a, b)`, a name that is nearly that of a
    parameter becomes it, and the object that a bound method has already is not given again.

    Safe: what is there raises, or gives a string letter by letter or a dict key by key. Unsafe where something else
    may have been meant: a target that takes nothing is given nothing, the one name that the target does not know
    becomes that of the one parameter that is missing, `Class.method` in a method of the class becomes `self.method`.
    Not offered where arguments are missing, or there is one too many: which ones are meant, nobody but the author
    knows. Add the parameter to the target, or take the argument out of the call.
    """

    codes = ("RL504",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree, span = draft.tree(finding.path), span_of(finding)
        starting = StartingCall.at(draft, finding.path, span)
        wrong = Arguments(draft.program).of(starting.start) if starting is not None else None
        if starting is None or wrong is None:
            return
        repairs = fitted(starting) if wrong.kind == "signature" else in_place(starting, wrong.kind)
        for repair in repairs:
            if _comments_in(repair.build(starting.call)) < _comments_in(starting.call):
                continue
            rewriting = Rewriting(tree)
            rewriting.replace(starting.call, repair.build)
            yield Proposal(rewriting.code(), repair.message, "unsafe" if repair.doubt else "safe", repair.doubt)
        yield Obstacle("which arguments are meant, the code does not say")


def _comments_in(node: cst.CSTNode) -> int:
    return isinstance(node, cst.Comment) + sum(map(_comments_in, node.children))
