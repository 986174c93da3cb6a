"""RL604: a primitive that a process is given is made by `multiprocessing`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Fixer, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression
from racelint.fixes.imports import imported
from racelint.fixes.places import functions_in, span_of, type_of_call
from racelint.model.finding import Finding
from racelint.program.thread_primitives import ThreadPrimitive, ThreadPrimitives
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
    given a manager's, or where it is not plain which call makes it.
    """

    codes = ("RL604",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Proposal]:
        tree = draft.tree(finding.path)
        primitive = _primitive_at(draft, finding)
        made = _maker(draft, tree, primitive) if primitive is not None else None
        if primitive is None or made is None or not (primitive.uses or _inherits(tree, primitive)):
            return
        name = _PROCESSES[primitive.dotted]
        rewriting = Rewriting(tree)
        factory = imported(rewriting, "multiprocessing", name, made)
        rewriting.replace(made, lambda updated: updated.with_changes(func=expression(factory)))
        reason = "what goes through a queue between processes is pickled" if name.endswith("Queue") else ""
        yield Proposal(rewriting.code(), f"Use `{factory}()`", "unsafe" if reason else "safe", reason)


def _primitive_at(draft: Draft, finding: Finding) -> ThreadPrimitive | None:
    for primitive in ThreadPrimitives(draft.program).found():
        here = primitive.function.module.source.display == finding.path and primitive.span == span_of(finding)
        if here and primitive.dotted == finding.subject and primitive.dotted in _PROCESSES:
            return primitive
    return None


def _inherits(tree: Tree, primitive: ThreadPrimitive) -> bool:
    call = tree.at(primitive.span, cst.Call)
    return call is not None and any(arg.keyword is not None and arg.keyword.value in _INHERITING for arg in call.args)


def _maker(draft: Draft, tree: Tree, primitive: ThreadPrimitive) -> cst.Call | None:
    """The call that makes it: the only one of its kind in the line, the function or the module."""
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
