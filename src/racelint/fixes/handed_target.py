"""RL501: the function is handed over instead of being called."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import imported
from racelint.fixes.places import call_at, span_of
from racelint.model.finding import Finding
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Bound
from racelint.syntax.edits import Rewriting, Tree

_TAKING_ARGS = frozenset({"Thread", "Process", "Timer"})
_TAKING_MORE = frozenset({"submit", "register", "to_thread", "call_soon", "call_soon_threadsafe"})
"""Functions that take the arguments of what they are to call behind it."""


class HandedTarget(Fixer):
    """`Thread(target=work(1))` becomes `Thread(target=work, args=(1,))`, `submit(work(1))` becomes `submit(work, 1)`; a
    coroutine is given to `asyncio.run`.

    Safe: what ran at once, and left the thread nothing to do, now runs on the thread. Not offered where the thread is
    given arguments already, or the call starred ones.
    """

    codes = ("RL501",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        found = call_at(draft.program, finding)
        tree = draft.tree(finding.path)
        inner = tree.at(span_of(finding), cst.Call)
        arg = tree.parent(inner) if inner is not None else None
        starter = tree.parent(arg) if arg is not None else None
        if found is None or inner is None or not isinstance(arg, cst.Arg) or not isinstance(starter, cst.Call):
            yield Obstacle("the call is made before, not in the place of the function")
            return
        if any(given.star for given in inner.args):
            yield Obstacle("the call is given starred arguments")
            return
        function = _called(draft, found[0], found[1].func)
        if function is not None and function.ir.is_generator:
            yield Obstacle(f"`{function.ir.name}` is a generator: who goes through it is not plain to see")
            return
        rewriting = Rewriting(tree)
        target, values = inner.func, list(inner.args)
        if function is not None and function.ir.is_async:
            target, values = expression(imported(rewriting, "asyncio", "run", starter)), [cst.Arg(inner)]
        args = _with_target(tree, starter, arg, target, values)
        if args is None:
            yield Obstacle("there are arguments for the thread already, or none can be given")
        else:
            rewriting.replace(starter, lambda updated: updated.with_changes(args=args))
            yield Proposal(rewriting.code(), f"Hand over `{tree.spelled(target)}`, do not call it")


def _called(draft: Draft, caller: FunctionInfo, func: tuple[tuple[str, ...], ...]) -> FunctionInfo | None:
    things = draft.program.types.of_value(func, caller)
    return next((thing.function for thing in things if isinstance(thing, Bound)), None)


def _with_target(
    tree: Tree, starter: cst.Call, arg: cst.Arg, target: cst.BaseExpression, values: Sequence[cst.Arg]
) -> list[cst.Arg] | None:
    """The arguments of the call that starts, with the function and what it is to be called with."""
    name = starter.func.attr.value if isinstance(starter.func, cst.Attribute) else tree.spelled(starter.func)
    before = [given for given in starter.args if given is not arg]
    handed = arg.with_changes(value=target)
    same = [handed if given is arg else given for given in starter.args]
    if not values:
        return same
    if name in _TAKING_MORE:
        if starter.args[-1] is not arg:
            return None
        return [*same[:-1], handed.with_changes(comma=cst.MaybeSentinel.DEFAULT), *values]
    taken = {given.keyword.value for given in before if given.keyword is not None}
    if name not in _TAKING_ARGS or taken & {"args", "kwargs"}:
        return None
    plain = [cst.Element(given.value) for given in values if given.keyword is None]
    named = [given for given in values if given.keyword is not None]
    more = []
    if plain:
        if len(plain) == 1:
            plain = [plain[0].with_changes(comma=cst.Comma())]
        more.append(_keyword("args", cst.Tuple(plain)))
    if named:
        pairs = [cst.DictElement(_quoted(given), given.value) for given in named]
        more.append(_keyword("kwargs", cst.Dict(pairs)))
    place = same.index(handed) + 1
    if handed.keyword is None or place == len(same):
        last = same[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return [*same[:-1], last, *more]
    comma = handed.comma
    return [*same[:place], *(one.with_changes(comma=comma) for one in more), *same[place:]]


def _keyword(name: str, value: cst.BaseExpression) -> cst.Arg:
    tight = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Arg(value, cst.Name(name), equal=tight)


def _quoted(given: cst.Arg) -> cst.BaseExpression:
    assert given.keyword is not None
    return cst.SimpleString(f'"{given.keyword.value}"')
