"""RL703: what belongs to an event loop is touched by way of the loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import imported, insert
from racelint.fixes.kept_loop import kept_loop
from racelint.fixes.places import call_at
from racelint.fixes.starting_call import StartingCall
from racelint.fixes.statements import statement, unused_name
from racelint.fixes.threadsafe_target import handed_over
from racelint.knowledge.coroutines import LOOP_TYPE
from racelint.model.finding import Finding
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Object
from racelint.syntax.edits import Block, Rewriting, Tree

_RUNNING = ("asyncio.get_running_loop()", "get_running_loop()", "asyncio.get_event_loop()", "asyncio.new_event_loop()")
_NO_LOOP = "nothing there names the event loop"
_HANDED = "Have the thread hand it to the loop: `call_soon_threadsafe`"
_OF_LOOPS = ("call_soon", "call_later", "call_at", "run_until_complete", "stop")


class ThreadsafeCall(Fixer):
    """`done.set()` becomes `loop.call_soon_threadsafe(done.set)`, `create_task(c)` becomes
    `asyncio.run_coroutine_threadsafe(c, loop)`, and a thread that runs `done.set` is given that call to run.

    The loop is the one that is named there, that of the coroutine around the thread's function, or the one that the
    method's object holds. Unsafe: it happens a
    moment later, on the loop's thread. Not offered where the answer of the call is used, or no loop can be named: keep
    `asyncio.get_running_loop()` where a coroutine starts the thread.
    """

    codes = ("RL703",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        found = call_at(draft.program, finding)
        tree = draft.tree(finding.path)
        call = tree.at(found[1].span, cst.Call) if found is not None else None
        if found is None or call is None or any(arg.star for arg in call.args):
            yield Obstacle("the call has starred arguments, which may be anything")
            return
        rewriting = Rewriting(tree)
        new = _rewritten(draft, found[0], rewriting, call, finding.subject)
        if isinstance(new, Obstacle):
            yield new
        else:
            rewriting.replace(call, lambda updated: new)
            reason = "it is done a moment later, on the thread of the loop"
            called = tree.spelled(new.func)
            if not isinstance(tree.parent(call), cst.Expr) and called.endswith("run_coroutine_threadsafe"):
                reason += "; what comes back is no task: it cannot be awaited"
            said = f"Call `{called}`" if new.func is not call.func else _HANDED
            yield Proposal(rewriting.code(), said, "unsafe", reason)


def _rewritten(
    draft: Draft, function: FunctionInfo, rewriting: Rewriting, call: cst.Call, subject: str
) -> cst.Call | Obstacle:
    tree = rewriting.tree
    owner, _, name = subject.rpartition(".")
    makes_task = name in ("create_task", "ensure_future")
    told = next((arg for arg in call.args if arg.keyword is not None), None)
    if told is not None and makes_task and told.keyword is not None and told.keyword.value == "loop":
        return _run_threadsafe(rewriting, call, [arg for arg in call.args if arg is not told], told.value)
    starting = StartingCall.at(draft, function.module.source.display, tree.span(call))
    if starting is not None and not makes_task and name not in _OF_LOOPS:
        loop = _loop_here(draft, function, rewriting, call)
        return (handed_over(starting, loop) if loop is not None else None) or Obstacle(_NO_LOOP)
    if not isinstance(call.func, cst.Attribute):
        return Obstacle("what is called is no method that could be handed to the loop")
    if told is not None:
        return Obstacle("the call has keyword arguments, which `call_soon_threadsafe()` does not take")
    if not makes_task and not isinstance(tree.parent(call), cst.Expr):
        return Obstacle("the answer of the call is used, and the loop gives none")
    loop = call.func.value if owner == "loop" else _loop_of(draft, function, rewriting, call)
    if loop is None:
        return Obstacle(_NO_LOOP)
    if makes_task:
        return _run_threadsafe(rewriting, call, call.args, loop)
    threadsafe = cst.Attribute(loop, cst.Name("call_soon_threadsafe"))
    if name == "call_soon":
        return call.with_changes(func=threadsafe)
    return cst.Call(threadsafe, _args([call.func, *(arg.value for arg in call.args)]))


def _run_threadsafe(
    rewriting: Rewriting, call: cst.Call, coroutine: Sequence[cst.Arg], loop: cst.BaseExpression
) -> cst.Call | Obstacle:
    if len(coroutine) != 1:
        return Obstacle("the task is given more than its coroutine")
    threadsafe = expression(imported(rewriting, "asyncio", "run_coroutine_threadsafe", call))
    return cst.Call(threadsafe, _args([coroutine[0].value, loop]))


def _args(values: Sequence[cst.BaseExpression]) -> list[cst.Arg]:
    return [cst.Arg(value) for value in values]


def _loop_around(rewriting: Rewriting, call: cst.Call) -> cst.BaseExpression | None:
    """A name for the loop of the coroutine that the call's function is defined in, made there if need be."""
    tree = rewriting.tree
    inner = tree.scope(call)
    outer = tree.scope(inner) if isinstance(inner, cst.FunctionDef) else None
    if not isinstance(outer, cst.FunctionDef) or outer.asynchronous is None or not isinstance(outer.body, Block):
        return None
    known = _named_loop(tree, outer.body)
    if known is not None:
        return known
    name = unused_name(tree, outer.body, "loop")
    place = _place_of(tree, outer.body, inner)
    running = imported(rewriting, "asyncio", "get_running_loop", call)
    insert(rewriting, outer.body, place, statement(f"{name} = {running}()"))
    return cst.Name(name)


def _named_loop(tree: Tree, block: Block) -> cst.Name | None:
    """`loop`, where a line of the block says that it is the one that runs."""
    for entry in block.body:
        small = entry.body[0] if isinstance(entry, cst.SimpleStatementLine) else None
        if isinstance(small, cst.Assign) and tree.spelled(small.value) in _RUNNING:
            target = small.targets[0].target
            if isinstance(target, cst.Name):
                return target
    return None


def _loop_here(draft: Draft, function: FunctionInfo, rewriting: Rewriting, call: cst.Call) -> cst.BaseExpression | None:
    """The loop that runs the coroutine, or that of the object."""
    tree = rewriting.tree
    outer = tree.scope(call)
    if not function.ir.is_async or not isinstance(outer, cst.FunctionDef) or not isinstance(outer.body, Block):
        return _loop_beside(draft, function)
    running = f"{imported(rewriting, 'asyncio', 'get_running_loop', call)}()"
    return _named_loop(tree, outer.body) or expression(running)


def _loop_of(draft: Draft, function: FunctionInfo, rewriting: Rewriting, call: cst.Call) -> cst.BaseExpression | None:
    """The loop of what the thread's function touches, kept for it where it is not yet."""
    around = _loop_around(rewriting, call)
    return around or _loop_beside(draft, function) or kept_loop(draft, function, rewriting)


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
