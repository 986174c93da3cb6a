"""Tasks that nobody keeps: started by a call whose answer is thrown away, or bound to a name that is never used."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.coroutines import TASK_MAKERS, TASKS_KEPT_BY
from racelint.model.summary import Access, AnyNode, Call, Loop, Path, Return, Suspend, With
from racelint.program.flow.values import nodes_of
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Instance, Member, Object

_LOOP_METHODS = ("create_task", "ensure_future")


class DroppedTask(msgspec.Struct, frozen=True):
    """`bound`: the task is assigned to a variable that nothing reads."""

    function: FunctionInfo
    call: Call
    bound: bool


def dropped_tasks(program: Program) -> Iterator[DroppedTask]:
    """In source order."""
    for function, call in program.callees.calls(names=TASK_MAKERS, words=_LOOP_METHODS):
        if not call.awaited and _makes_task(program, call, function):
            bound = call.used
            if not bound or not _is_mentioned((f"c:{call.id}",), call, function):
                yield DroppedTask(function, call, bound)


def _makes_task(program: Program, call: Call, function: FunctionInfo) -> bool:
    for path in call.func[:1]:
        for thing in program.types.of(path, function):
            if isinstance(thing, External):
                return thing.dotted in TASK_MAKERS and "threadsafe" not in thing.dotted
        if len(path) > 1 and path[-1] in _LOOP_METHODS:
            return _is_loop(program, path[:-1], function)
    return False


def _is_loop(program: Program, path: Path, function: FunctionInfo) -> bool:
    """An event loop by its type; where that is not known, by its name. Task groups keep their tasks."""
    things = program.types.of(path, function)
    if any(isinstance(thing, (Instance, Member)) for thing in things):
        return False
    known = [thing.dotted for thing in things if isinstance(thing, Object)]
    if known:
        return all("EventLoop" in dotted and dotted not in TASKS_KEPT_BY for dotted in known)
    return path[-1].rpartition(":")[2].strip("_").endswith("loop")


def _is_mentioned(made: Path, call: Call, function: FunctionInfo) -> bool:
    """Whether anything but the binding itself has to do with the task."""
    for node in nodes_of(function.ir.body):
        if node is not call:
            computed = call.id in getattr(node, "deps", ())
            if computed or any(path[:1] == made for path in _paths(node)):
                return True
    return False


def _paths(node: AnyNode) -> Iterator[Path]:
    """All access paths that a node by itself has to do with."""
    match node:
        case Access():
            yield node.path
            yield from node.value
        case Call():
            yield from node.func
            for argument in node.args:
                yield from argument.value
        case With():
            yield from node.item.value
        case Loop():
            yield from node.iterates
        case Suspend() | Return():
            yield from node.value
