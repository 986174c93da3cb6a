"""RL702: what a coroutine does to shared state around an await is put under an `asyncio.Lock`."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.fixes.async_home import AsyncHome, async_homes
from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.drained import LOST, drained_first
from racelint.fixes.lock_safety import Extent, LockSafety
from racelint.fixes.places import named, span_of
from racelint.fixes.sites import no_block_around
from racelint.fixes.stretch import covering
from racelint.model.finding import Finding
from racelint.program.coroutines.await_gaps import AwaitGaps
from racelint.program.coroutines.draining import Drains
from racelint.program.flow.values import event_span
from racelint.program.sharing.compounds import Compound
from racelint.syntax.edits import Rewriting


class AsyncGuard(Fixer):
    """From the read to the change, the coroutine runs under `async with self._lock:`, an `asyncio.Lock` that the class
    has or is given. What is used and then emptied is taken out before the `await`: `rows, self.rows = self.rows, []`.

    Unsafe: tasks wait for one another there, and the lock belongs to one event loop. Not offered where what is awaited
    comes back to the same coroutine, and for flags that are set too early: what they stand for is not plain to see.
    """

    codes = ("RL702",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        drained = _drained(draft, finding)
        if drained is not None:
            yield drained
        for gap in AwaitGaps(draft.program).found():
            compound = gap.compound
            here = compound.function.module.source.display == finding.path and str(gap.location) == finding.subject
            if here and span_of(finding) in (compound.act.span, compound.check_span):
                home = None
                for home in async_homes(draft, compound.function, compound.act.location.container()):
                    yield _proposal(draft, compound, home)
                if home is None:
                    yield Obstacle(f"there is no place in this file for a lock beside `{gap.location.attribute}`")
                return
        yield Obstacle("what is told too early is not plain to see")


def _drained(draft: Draft, finding: Finding) -> Proposal | None:
    """What is sent and then emptied is taken out before anything is awaited."""
    tree = draft.tree(finding.path)
    for drain in Drains(draft.program).found():
        here = drain.act.function.module.source.display == finding.path and drain.act.span == span_of(finding)
        stretch = covering(tree, [drain.read.span, drain.act.span]) if here else None
        text = drained_first(tree, stretch) if stretch is not None else None
        if text is not None:
            return Proposal(text, f"Take `{drain.act.location.attribute}` out before the `await`", "unsafe", LOST)
    return None


def _proposal(draft: Draft, compound: Compound, home: AsyncHome) -> Attempt:
    function = compound.function
    tree = draft.tree(function.module.source.display)
    spans = [compound.act.span, event_span(function, compound.since)]
    if compound.check_span != (1, 1, 1, 1):
        spans.append(compound.check_span)
    stretch = covering(tree, spans)
    if stretch is None:
        return Obstacle(no_block_around(function))
    safety, extent = LockSafety(draft.program, home.lock, [function]), Extent(*stretch.lines(tree))
    opened = [tree.span(node.items[0].item)[0] for node in stretch.blocks_on(tree, home.header)]
    if safety.examine(function, extent).nested:
        return Obstacle(f"what is awaited there comes back to {named(function)}, which would wait for itself")
    if retaken := next(safety.retakings(function, extent, opened), ""):
        return Obstacle(retaken)
    rewriting = Rewriting(tree)
    home.make(rewriting)
    stretch.wrap(rewriting, home.header, asynchronous=True)
    message = f"Hold `{home.header}` from the read to the change"
    reason = "tasks wait for one another there, and the lock belongs to one event loop"
    return Proposal(rewriting.code(), message, "unsafe", reason, home.claims)
