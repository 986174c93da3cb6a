"""RL604: a primitive that a process is given is made by `multiprocessing`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import drop_unused, imported
from racelint.fixes.places import functions_in, maker_of, span_of, type_of_call
from racelint.model.finding import Finding
from racelint.model.summary import ELEMENT, Call, Span
from racelint.program import Program
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Bound
from racelint.program.process_use.split_locks import split_locks
from racelint.program.process_use.thread_primitives import ThreadPrimitive, ThreadPrimitives
from racelint.program.threads.roots import StartCall
from racelint.syntax.edits import Rewriting, Tree

_SAME = ("Lock", "RLock", "Event", "Condition", "Semaphore", "BoundedSemaphore", "Barrier")
_PROCESSES = {
    **{f"threading.{name}": name for name in _SAME},
    "queue.Queue": "Queue",
    "queue.SimpleQueue": "SimpleQueue",
}
_INHERITING = frozenset({"target", "initargs"})
"""Arguments of calls that give to a process what it is born with: only so may it get a primitive."""


class ProcessPrimitive(Fixer):
    """`threading.Lock()` becomes `multiprocessing.Lock()`, `queue.Queue()` becomes `multiprocessing.Queue()`.

    Safe: between processes the other never did anything, and between threads both do the same; queues are unsafe, since
    what goes through them is pickled. Not offered where the primitive is handed to the tasks of a pool, which must be
    given a manager's, for a variable of the module that pools of processes use (give it to the `initializer`), or where
    it is not plain which call makes it.
    """

    codes = ("RL604",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        primitive = _primitive_at(draft, finding)
        held = _held(draft, tree, finding)
        if held is not None:
            made, name = held
        elif primitive is None or (found := _maker(draft, tree, primitive)) is None:
            yield Obstacle("it is not plain to see which call makes what is handed over")
            return
        elif primitive.uses or _inherits(tree, primitive):
            made, name = found, _PROCESSES[primitive.dotted]
        else:
            yield Obstacle("it is handed over with a task or through a queue, which only a manager's can be")
            return
        rewriting = Rewriting(tree)
        factory = imported(rewriting, "multiprocessing", name, made)
        drop_unused(rewriting, made.func)
        rewriting.replace(made, lambda updated: updated.with_changes(func=expression(factory)))
        reason = "what goes through a queue between processes is pickled" if name.endswith("Queue") else ""
        yield Proposal(rewriting.code(), f"Use `{factory}()`", "unsafe" if reason else "safe", reason)


def _primitive_at(draft: Draft, finding: Finding) -> ThreadPrimitive | None:
    for primitive in ThreadPrimitives(draft.program).found():
        here = primitive.function.module.source.display == finding.path and primitive.span == span_of(finding)
        if here and primitive.dotted == finding.subject and primitive.dotted in _PROCESSES:
            return primitive
    return None


def _held(draft: Draft, tree: Tree, finding: Finding) -> tuple[cst.Call, str] | None:
    """The call that makes a primitive of an object whose method processes run, and what it is to be.

    A process is born with it, the task of a pool cannot be given it.
    """
    program = draft.program
    for location in _locations_held(program, finding):
        made = maker_of(program, location)
        name = _PROCESSES.get(type_of_call(program, *made)) if made is not None else None
        if made is not None and name is not None and draft.tree(made[0].module.source.display) is tree:
            call = tree.at(made[1].span, cst.Call)
            return (call, name) if call is not None else None
    return None


def _locations_held(program: Program, finding: Finding) -> Iterator[Location]:
    """Where the primitive that a finding tells of is kept, if only processes of their own come by it."""
    for primitive in ThreadPrimitives(program).found():
        here = primitive.function.module.source.display == finding.path and primitive.span == span_of(finding)
        if here and primitive.holder == finding.subject and _is_born(program, primitive):
            owner, _, name = primitive.holder.rpartition(".")
            yield from (Location("attribute", cls.id, (name,)) for cls in program.index.classes if cls.name == owner)
    for split in split_locks(program):
        here = split.made.function.module.source.display == finding.path
        location = split.lock.location
        mine = here and split.lock.name == finding.subject and location.kind == "attribute"
        if mine and not any(_is_task_of(program, start, location.owner) for start in program.start_calls):
            yield location


def _is_task_of(program: Program, start: StartCall, owner: str) -> bool:
    """Whether a pool of processes is given a method of the class."""
    things = program.types.of_value(start.target, start.function) if start.starter.kind == "process" else ()
    methods = (thing.function for thing in things if isinstance(thing, Bound))
    return not start.starter.deferred and any(m.cls is not None and m.cls.id == owner for m in methods)


def _is_born(program: Program, primitive: ThreadPrimitive) -> bool:
    start = next((start for start in program.start_calls if start.call.span == primitive.span), None)
    return start is not None and start.function is primitive.function and start.starter.deferred


def _inherits(tree: Tree, primitive: ThreadPrimitive) -> bool:
    call = tree.at(primitive.span, cst.Call)
    return call is not None and any(arg.keyword is not None and arg.keyword.value in _INHERITING for arg in call.args)


def _maker(draft: Draft, tree: Tree, primitive: ThreadPrimitive) -> cst.Call | None:
    """The call that makes what is handed over, else the only one of its kind in the line, function or module."""
    handed = _handed(draft.program, primitive)
    if len(handed) == 1:
        return tree.at(handed[0].span, cst.Call)
    made = [
        (function, call)
        for function in functions_in(draft.program, primitive.function.module.source.display)
        for call in draft.program.stores.facts[function.id].calls
        if type_of_call(draft.program, function, call) == primitive.dotted
    ]
    line = [call for _, call in made if primitive.uses and call.span[0] == primitive.span[0]]
    own = [call for function, call in made if function is primitive.function]
    found = line or own or [call for _, call in made]
    return tree.at(found[0].span, cst.Call) if len(found) == 1 else None


def _handed(program: Program, primitive: ThreadPrimitive) -> list[Call]:
    """The calls in the file that make those arguments of the process which are such a primitive."""
    function, facts = primitive.function, program.stores.facts[primitive.function.id]
    started = next((call for call in facts.calls if call.span == primitive.span), None)
    given = [argument.value for argument in started.args] if started is not None else []
    displays = {path for value in given for path in value if path[0].startswith("v:")}
    filled = [a for a in facts.accesses if a.kind == "write" and a.path[-1] == ELEMENT and a.path[:-1] in displays]
    values = (*given, *(access.value for access in filled))
    found: dict[Span, Call] = {}
    for path in (path for value in values for path in value):
        location = program.locations.of(path, function)
        own = facts.made_by(path)
        maker = (function, own) if own is not None else maker_of(program, location) if location is not None else None
        here = maker is not None and maker[0].module is function.module
        if maker is not None and here and type_of_call(program, *maker) == primitive.dotted:
            found[maker[1].span] = maker[1]
    return list(found.values())
