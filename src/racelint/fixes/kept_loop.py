"""RL703: the coroutine that starts a thread keeps its loop, so that the thread can name it."""

from __future__ import annotations

import libcst as cst

from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import imported, insert
from racelint.fixes.slots import slots_of
from racelint.fixes.statements import statement
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Bound
from racelint.program.threads.roots import StartCall
from racelint.syntax.edits import Rewriting

_NAME = "_loop"


def kept_loop(draft: Draft, function: FunctionInfo, rewriting: Rewriting) -> cst.BaseExpression | None:
    """`self._loop`, which each coroutine of the class that starts a thread on the method stores before it does.

    None where anything else starts it, or the class has such an attribute.
    """
    cls, tree = function.cls, rewriting.tree
    starts = [start for start in draft.program.start_calls if _runs(draft, start, function)]
    if cls is None or not starts or any((owner.id, _NAME) in draft.program.stores.attributes for owner in cls.mro):
        return None
    if any(_NAME in owner.ir.methods for owner in cls.mro):
        return None
    for start in starts:
        mine = start.function.cls is cls and start.function.ir.is_async and start.function.self_name
        call = tree.at(start.call.span, cst.Call) if mine and start.function.module is function.module else None
        entry = tree.statement(call) if call is not None else None
        if call is None or entry is None or start.target[0][0] != f"p:{start.function.self_name}":
            return None
        if any(isinstance(outer, cst.ClassDef) and _has_slots(outer) for outer in tree.ancestors(entry)):
            return None
        running = imported(rewriting, "asyncio", "get_running_loop", call)
        keeping = statement(f"{start.function.self_name}.{_NAME} = {running}()")
        insert(rewriting, tree.block(entry), tree.index(entry), keeping)
    return expression(f"{function.self_name}.{_NAME}")


def _runs(draft: Draft, start: StartCall, function: FunctionInfo) -> bool:
    things = draft.program.types.of_value(start.target, start.function)
    return any(isinstance(thing, Bound) and thing.function is function for thing in things)


def _has_slots(cls: cst.ClassDef) -> bool:
    return isinstance(cls.body, cst.IndentedBlock) and slots_of(cls.body) is not None
