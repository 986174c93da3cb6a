"""RL704: what blocks the event loop is awaited instead: `asyncio.sleep`, or a thread that does the blocking."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Fixer, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.imports import drop_unused, imported
from racelint.fixes.places import call_at
from racelint.knowledge.locks import ACQUIRES
from racelint.model.finding import Finding
from racelint.program.linked.blocking import BlockingCalls
from racelint.program.names.index import External
from racelint.program.objects.things import Member
from racelint.syntax.edits import Rewriting, Tree

_ELSEWHERE = (cst.Lambda, cst.BaseComp, cst.FunctionDef, cst.ClassDef)


class AwaitedCall(Fixer):
    """`time.sleep(1)` becomes `await asyncio.sleep(1)`, `future.result()` becomes `await asyncio.wrap_future(future)`,
    anything else `await asyncio.to_thread(f, …)`.

    Unsafe: other tasks run meanwhile, and what goes to a thread runs beside the rest of the program. Not offered for a
    lock's acquire, since the thread that takes a lock may have to be the one that gives it back.
    """

    codes = ("RL704",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Proposal]:
        found = call_at(draft.program, finding)
        tree = draft.tree(finding.path)
        if found is None or "3.8" in draft.settings.target_version:
            return
        function, event = found
        call = tree.at(event.span, cst.Call)
        blocking = BlockingCalls(draft.program).reached(event, function)
        if call is None or blocking is None or event.func[0][-1] in ACQUIRES or not _may_await(tree, call):
            return
        things = draft.program.types.of_value(event.func, function)
        future = any(isinstance(t, Member) and t.name == "result" and "Future" in t.dotted for t in things)
        rewriting = Rewriting(tree)
        if any(isinstance(thing, External) and thing.dotted == "time.sleep" for thing in things):
            new, reason = call.with_changes(func=_named(rewriting, "sleep", call)), "other tasks run meanwhile"
            drop_unused(rewriting, call.func)
        elif future and not call.args and isinstance(call.func, cst.Attribute):
            new = cst.Call(_named(rewriting, "wrap_future", call), [cst.Arg(call.func.value)])
            reason = "other tasks run meanwhile"
        else:
            new = _in_thread(rewriting, call)
            reason = "other tasks run meanwhile, and the call runs in a thread beside them"
        awaited = cst.Await(new)
        if not isinstance(tree.parent(call), (cst.Expr, cst.Assign, cst.Return, cst.Arg, cst.WithItem)):
            awaited = awaited.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
        rewriting.replace(call, lambda updated: awaited)
        yield Proposal(rewriting.code(), f"Await `{tree.spelled(new.func)}`", "unsafe", reason)


def _named(rewriting: Rewriting, name: str, user: cst.CSTNode) -> cst.BaseExpression:
    return cst.parse_expression(imported(rewriting, "asyncio", name, user))


def _in_thread(rewriting: Rewriting, call: cst.Call) -> cst.Call:
    """`f(x)` as `asyncio.to_thread(f, x)`."""
    args = [cst.Arg(call.func, comma=_comma() if call.args else cst.MaybeSentinel.DEFAULT), *call.args]
    return call.with_changes(func=_named(rewriting, "to_thread", call), args=args)


def _comma() -> cst.Comma:
    return cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def _may_await(tree: Tree, call: cst.Call) -> bool:
    """Whether the call is of the coroutine's own code, and not awaited already."""
    for outer in tree.ancestors(call):
        if isinstance(outer, cst.FunctionDef):
            return outer.asynchronous is not None
        if isinstance(outer, _ELSEWHERE) or (isinstance(outer, cst.Await) and outer.expression is call):
            return False
    return False
