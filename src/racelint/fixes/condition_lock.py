"""RL302: the condition's lock is taken around a wait or a notification."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import is_loud
from racelint.fixes.lock_safety import Extent, LockSafety, span_of_node
from racelint.fixes.names import written
from racelint.fixes.places import span_of
from racelint.fixes.reasons import in_one
from racelint.fixes.statements import alone
from racelint.fixes.stretch import Stretch, covering
from racelint.model.finding import Finding
from racelint.model.summary import Path
from racelint.program.flow.values import event_span
from racelint.program.linked.condition_uses import WAITS, Use
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.syntax.edits import Rewriting, Tree


class ConditionLock(Fixer):
    """`cv.notify()` goes into the `with cv:` before it, or into one of its own; a wait with its loop and all that
    follows it in the block.

    A helper that some callers run with the lock held is left alone: its other callers take it. Safe where nothing runs
    under the lock but the program's own plain computation, unsafe where another lock is held there, or calls run under
    the lock that may wait or call back.
    """

    codes = ("RL302",)
    locks = True

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        for use in draft.program.conditions.all:
            if use.function.module.source.display == finding.path and use.call.span == span_of(finding):
                tree = draft.tree(finding.path)
                for function, stretch, path in _places(draft, tree, use):
                    header = written(path, draft.program.stores.facts[function.id])
                    if header is not None:
                        yield from _wrapped(draft, tree, use, function, stretch, header)
                yield Obstacle(f"the function that lacks the lock has no name for `{use.lock.short}`")
                return


def _places(draft: Draft, tree: Tree, use: Use) -> Iterator[tuple[FunctionInfo, Stretch, Path]]:
    """Where to take the lock: at the caller that lacks it where another has it, else around the use."""
    contexts = draft.program.reach.of(use.function)
    bare = [c for c in contexts if use.lock.location not in {lock.location for lock in c.held}]
    if len(bare) < len(contexts):
        for context in bare[:1]:
            if context.parent is None or use.path[0] != f"p:{use.function.self_name}":
                continue
            caller = context.parent.function
            sites = draft.program.calls.outgoing[caller.id]
            site = next((s for s in sites if s.event == context.site and s.callee is use.function), None)
            stretch = covering(tree, [event_span(caller, context.site)])
            local = caller.module.source.display == use.function.module.source.display
            if site is not None and site.receiver is not None and stretch is not None and local:
                yield caller, stretch, (*site.receiver, *use.path[1:])
        return
    stretch = covering(tree, [use.call.span])
    if stretch is not None:
        wider = _with_what_follows(tree, stretch) if use.method in WAITS else _with_what_changed(stretch)
        yield use.function, wider, use.path


def _with_what_changed(stretch: Stretch) -> Stretch:
    """A notification with the assignments in front of it, which it tells of."""
    start = stretch.start
    while start > 0 and _stores(stretch.block.body[start - 1]):
        start -= 1
    return stretch._replace(start=start)


def _stores(entry: cst.CSTNode) -> bool:
    small = alone(entry)
    target = small.targets[0].target if isinstance(small, cst.Assign) else None
    target = small.target if isinstance(small, cst.AugAssign) else target
    return isinstance(target, (cst.Attribute, cst.Subscript)) and not is_loud(entry)


def _with_what_follows(tree: Tree, stretch: Stretch) -> Stretch:
    """A wait with the loop or the branch around it, and all that follows in that block and relies on it."""
    holder = tree.parent(stretch.block)
    if isinstance(holder, (cst.While, cst.If)) and stretch.block is holder.body:
        place = tree.index(holder)
        stretch = Stretch(tree.block(holder), place, place + 1)
    return stretch._replace(stop=len(stretch.block.body))


def _wrapped(
    draft: Draft, tree: Tree, use: Use, function: FunctionInfo, stretch: Stretch, header: str
) -> Iterator[Attempt]:
    rewriting = Rewriting(tree)
    if use.method not in WAITS:
        before = _taken_before(draft, tree, function, stretch, use.lock)
        header = tree.spelled(before.items[0].item) if before is not None else header
        stretch = stretch.with_neighbours(tree, header)
    safety = LockSafety(draft.program, use.lock, ())
    opened = [tree.span(node.items[0].item)[0] for node in stretch.blocks_on(tree, header)]
    found = safety.examine(function, Extent(*stretch.lines(tree)), opened)
    if waits := [clause for clause in (*found.obstacles, *found.cautions) if ".wait" not in clause]:
        yield Obstacle(waits[0])
        return
    doubts = [*found.doubts, *_doubts(draft, function, stretch, tree, use.lock)]
    stretch.wrap(rewriting, header)
    reason = in_one(doubts)
    message, claims = f"Take `{header}` around it", stretch.claims(tree)
    yield Proposal(rewriting.code(), message, "unsafe" if reason else "safe", reason, claims)


def _taken_before(draft: Draft, tree: Tree, function: FunctionInfo, stretch: Stretch, lock: Lock) -> cst.With | None:
    """The `with` right before the stretch that takes the condition's lock, by whatever name."""
    before = stretch.block.body[stretch.start - 1] if stretch.start > 0 else None
    if not isinstance(before, cst.With) or len(before.items) != 1:
        return None
    span = tree.span(before.items[0].item)
    taken = draft.program.flows.of(function).acquisitions
    same = any(own.location == lock.location and span_of_node(node)[:2] == span[:2] for own, node, _ in taken)
    return before if same else None


def _doubts(draft: Draft, function: FunctionInfo, stretch: Stretch, tree: Tree, lock: Lock) -> Iterator[str]:
    """Why it is not safe where other locks are held."""
    flow = draft.program.flows.of(function)
    first, last = stretch.lines(tree)
    for event in draft.program.stores.facts[function.id].events.values():
        if first <= event.span[0] <= last and any(h.lock.location != lock.location for h in flow.at(event.id).must):
            yield "another lock is held there, which may be the one that guards what is waited for"
