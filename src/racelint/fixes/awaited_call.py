"""RL704: what blocks the event loop is awaited instead: `asyncio.sleep`, or a thread that does the blocking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.imports import drop_unused, imported
from racelint.fixes.places import call_at, functions_in
from racelint.knowledge.locks import ACQUIRES
from racelint.model.finding import Finding
from racelint.model.summary import Call
from racelint.program.linked.blocking import BlockingCalls
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Bound, Member, Thing
from racelint.syntax.edits import Rewriting, Tree

_UNBRACKETED = (cst.Expr, cst.Assign, cst.Return, cst.Arg, cst.WithItem, cst.ListComp, cst.SetComp)
_ELSEWHERE = (cst.Lambda, cst.GeneratorExp, cst.FunctionDef, cst.ClassDef)


class AwaitedCall(Fixer):
    """`time.sleep(1)` becomes `await asyncio.sleep(1)`, `future.result()` becomes `await asyncio.wrap_future(future)`,
    anything else `await asyncio.to_thread(f, …)`.

    Where a function of the program blocks, all coroutines of the file that call it do so.
    Unsafe: other tasks run meanwhile, and what goes to a thread runs beside the rest of the program. Not offered for a
    lock's acquire, since the thread that takes a lock may have to be the one that gives it back.
    """

    codes = ("RL704",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        found = call_at(draft.program, finding)
        tree = draft.tree(finding.path)
        if found is None or "3.8" in draft.settings.target_version:
            if found is not None:
                yield Obstacle("Python 3.8 has no `asyncio.to_thread()`")
            return
        function, event = found
        blocking = BlockingCalls(draft.program).reached(event, function)
        if event.func[0][-1] in ACQUIRES:
            yield Obstacle("the thread that takes a lock may have to be the one that gives it back")
            return
        calls = [call for own in (event, *_same(draft, function, event)) if (call := tree.at(own.span, cst.Call))]
        awaited = [call for call in calls if _may_await(tree, call)]
        if blocking is None or not awaited or awaited[0] is not calls[0]:
            yield Obstacle("the call is not made where the coroutine itself could await it")
            return
        things = draft.program.types.of_value(event.func, function)
        yield _proposal(tree, things, awaited[:1])
        if len(awaited) > 1:  # told at the first alone
            yield _proposal(tree, things, awaited)


def _same(draft: Draft, function: FunctionInfo, event: Call) -> list[Call]:
    """The other calls, in coroutines of the file, of the same function of the program."""
    types = draft.program.types
    things = types.of_value(event.func, function)
    if len(things) != 1 or not isinstance(things[0], Bound):
        return []
    return [
        call
        for other in functions_in(draft.program, function.module.source.display)
        for call in (draft.program.stores.facts[other.id].calls if other.ir.is_async else ())
        if call is not event and types.of_value(call.func, other) == things
    ]


def _proposal(tree: Tree, things: Sequence[Thing], calls: Sequence[cst.Call]) -> Proposal:
    """All of the calls awaited."""
    rewriting = Rewriting(tree)
    future = any(isinstance(t, Member) and t.name == "result" and "Future" in t.dotted for t in things)
    sleeps = any(isinstance(thing, External) and thing.dotted == "time.sleep" for thing in things)
    reason = "other tasks run meanwhile"
    said = ""
    for call in calls:
        if sleeps:
            new = call.with_changes(func=_named(rewriting, "sleep", call))
            drop_unused(rewriting, call.func)
        elif future and not call.args and isinstance(call.func, cst.Attribute):
            new = cst.Call(_named(rewriting, "wrap_future", call), [cst.Arg(call.func.value)])
        else:
            new = _in_thread(rewriting, call)
            reason = "other tasks run meanwhile, and the call runs in a thread beside them"
        said = tree.spelled(new.func)
        _await(rewriting, call, new)
    return Proposal(rewriting.code(), f"Await `{said}`", "unsafe", reason)


def _await(rewriting: Rewriting, call: cst.Call, new: cst.Call) -> None:
    awaited = cst.Await(new)
    if not isinstance(rewriting.tree.parent(call), _UNBRACKETED):
        awaited = awaited.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    rewriting.replace(call, lambda updated: awaited)


def _named(rewriting: Rewriting, name: str, user: cst.CSTNode) -> cst.BaseExpression:
    return cst.parse_expression(imported(rewriting, "asyncio", name, user))


def _in_thread(rewriting: Rewriting, call: cst.Call) -> cst.Call:
    """`f(x)` as `asyncio.to_thread(f, x)`."""
    args = [cst.Arg(call.func, comma=_comma() if call.args else cst.MaybeSentinel.DEFAULT), *call.args]
    return call.with_changes(func=_named(rewriting, "to_thread", call), args=args)


def _comma() -> cst.Comma:
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def _may_await(tree: Tree, call: cst.Call) -> bool:
    """Whether the call is of the coroutine's own code, and not awaited already.

    So is that of a list that is made in one; inside of two, only newer Pythons may await.
    """
    lists = 0
    for outer in tree.ancestors(call):
        lists += isinstance(outer, cst.BaseComp)
        if isinstance(outer, cst.FunctionDef):
            return outer.asynchronous is not None and lists < 2
        if isinstance(outer, _ELSEWHERE) or (isinstance(outer, cst.Await) and outer.expression is call):
            return False
    return False
