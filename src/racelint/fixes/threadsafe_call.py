"""RL703: what belongs to an event loop is touched by way of the loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import imported, insert
from racelint.fixes.places import call_at
from racelint.fixes.statements import statement, unused_name
from racelint.knowledge.coroutines import LOOP_TYPE
from racelint.model.finding import Finding
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Object
from racelint.syntax.edits import Block, Rewriting, Tree

_RUNNING = ("asyncio.get_running_loop()", "get_running_loop()", "asyncio.get_event_loop()", "asyncio.new_event_loop()")


class ThreadsafeCall(Fixer):
    """`done.set()` becomes `loop.call_soon_threadsafe(done.set)`, `create_task(c)` becomes
    `asyncio.run_coroutine_threadsafe(c, loop)`.

    The loop is the one that is named there, that of the coroutine around the thread's function, or the one that the
    method's object holds. Unsafe: it happens a
    moment later, on the loop's thread. Not offered where the answer of the call is used, or no loop can be named.
    """

    codes = ("RL703",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        found = call_at(draft.program, finding)
        tree = draft.tree(finding.path)
        call = tree.at(found[1].span, cst.Call) if found is not None else None
        if found is None or call is None or any(arg.keyword is not None or arg.star for arg in call.args):
            yield Obstacle("the call has keyword or starred arguments, which `call_soon_threadsafe()` does not take")
            return
        rewriting = Rewriting(tree)
        new = _rewritten(draft, found[0], rewriting, call, finding.subject)
        if isinstance(new, Obstacle):
            yield new
        else:
            rewriting.replace(call, lambda updated: new)
            reason = "it is done a moment later, on the thread of the loop"
            yield Proposal(rewriting.code(), f"Call `{tree.spelled(new.func)}`", "unsafe", reason)


def _rewritten(
    draft: Draft, function: FunctionInfo, rewriting: Rewriting, call: cst.Call, subject: str
) -> cst.Call | Obstacle:
    tree = rewriting.tree
    owner, _, name = subject.rpartition(".")
    if not isinstance(call.func, cst.Attribute):
        return Obstacle("what is called is no method that could be handed to the loop")
    makes_task = name in ("create_task", "ensure_future")
    if not makes_task and not isinstance(tree.parent(call), cst.Expr):
        return Obstacle("the answer of the call is used, and the loop gives none")
    loop = call.func.value if owner == "loop" else _loop_around(rewriting, call) or _loop_beside(draft, function)
    if loop is None:
        return Obstacle("nothing there names the event loop")
    if makes_task:
        threadsafe_run = cst.parse_expression(imported(rewriting, "asyncio", "run_coroutine_threadsafe", call))
        if len(call.args) != 1:
            return Obstacle("the task is given more than its coroutine")
        return cst.Call(threadsafe_run, _args([call.args[0].value, loop]))
    threadsafe = cst.Attribute(loop, cst.Name("call_soon_threadsafe"))
    if name == "call_soon":
        return call.with_changes(func=threadsafe)
    return cst.Call(threadsafe, _args([call.func, *(arg.value for arg in call.args)]))


def _args(values: Sequence[cst.BaseExpression]) -> list[cst.Arg]:
    return [cst.Arg(value) for value in values]


def _loop_around(rewriting: Rewriting, call: cst.Call) -> cst.BaseExpression | None:
    """A name for the loop of the coroutine that the call's function is defined in, made there if need be."""
    tree = rewriting.tree
    inner = tree.scope(call)
    outer = tree.scope(inner) if isinstance(inner, cst.FunctionDef) else None
    if not isinstance(outer, cst.FunctionDef) or outer.asynchronous is None or not isinstance(outer.body, Block):
        return None
    for entry in outer.body.body:
        small = entry.body[0] if isinstance(entry, cst.SimpleStatementLine) else None
        if isinstance(small, cst.Assign) and tree.spelled(small.value) in _RUNNING:
            target = small.targets[0].target
            return target if isinstance(target, cst.Name) else None
    name = unused_name(tree, outer.body, "loop")
    place = _place_of(tree, outer.body, inner)
    running = imported(rewriting, "asyncio", "get_running_loop", call)
    insert(rewriting, outer.body, place, statement(f"{name} = {running}()"))
    return cst.Name(name)


def _loop_beside(draft: Draft, function: FunctionInfo) -> cst.BaseExpression | None:
    """`self.loop`, the only attribute of the method's class that holds a loop."""
    if function.cls is None or not function.self_name:
        return None
    owners = {cls.id for cls in function.cls.mro}
    types = draft.program.types
    found = {
        name
        for (owner, name), entries in draft.program.stores.attributes.items()
        if owner in owners
        for entry in entries
        for thing in types.of_value(entry.value, entry.function)
        if isinstance(thing, Object) and thing.dotted == LOOP_TYPE
    }
    return expression(f"{function.self_name}.{found.pop()}") if len(found) == 1 else None


def _place_of(tree: Tree, block: Block, inner: cst.CSTNode) -> int:
    """Where in the block the inner function is defined."""
    holders = {id(node) for node in (inner, *tree.ancestors(inner))}
    return next(place for place, entry in enumerate(block.body) if id(entry) in holders)
