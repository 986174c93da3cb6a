"""RL209: an acquire inside the `try` whose `finally` releases becomes a `with` statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import is_loud
from racelint.fixes.kept_comments import comments_below, freed
from racelint.fixes.places import span_of
from racelint.fixes.statements import comments_of, indent_of, only_call, with_block
from racelint.fixes.with_statement import is_context_manager
from racelint.model.finding import Finding
from racelint.program.lock_use.late_acquires import LateAcquire, late_acquires
from racelint.syntax.edits import Rewriting, Statement, Tree


class AcquiredOutside(Fixer):
    """`try: lock.acquire(); A; finally: lock.release()` becomes `with lock: A`.

    What comes before the acquire stays in front of the `with`. Safe where the same code runs under the lock as before;
    unsafe where handlers or the rest of the `finally` no longer do. Not offered where the acquire is not followed by
    all the rest of the `try`, and where the lock is no context manager.
    """

    codes = ("RL209",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        for late in late_acquires(draft.program):
            function = late.function
            if function.module.source.display != finding.path or late.acquire.span != span_of(finding):
                continue
            late_try = _late_try(tree, late)
            if late_try is None:
                yield Obstacle("what follows the acquire is not all the rest of the `try`")
            elif not is_context_manager(draft.program, function, late.lock, late.acquire.func[0][:-1]):
                yield Obstacle(f"`with` cannot take `{late.lock.short}`")
            else:
                yield late_try.proposal(tree)
            return


def _late_try(tree: Tree, late: LateAcquire) -> _LateTry | None:
    """The pieces of the `try`; None where they do not lie as a `with` block needs them to."""
    taken, given = (tree.at(call.span, cst.Call) for call in (late.acquire, late.release))
    acquire = tree.statement(taken) if taken is not None else None
    release = tree.statement(given) if given is not None else None
    if acquire is None or release is None or only_call(acquire) is not taken or only_call(release) is not given:
        return None
    final = tree.parent(tree.block(release))
    outer = tree.parent(final)
    if not isinstance(final, cst.Finally) or not isinstance(outer, cst.Try) or outer.orelse is not None:
        return None
    assert isinstance(taken, cst.Call)
    reached = _reaches_end(tree, acquire, outer)
    found = _LateTry(outer, acquire, release, taken, isinstance(tree.parent(taken), cst.Await))
    return found if reached and isinstance(taken.func, cst.Attribute) and not taken.args else None


def _reaches_end(tree: Tree, acquire: Statement, outer: cst.Try) -> bool:
    """Whether all that follows the acquire in the body of the `try` is what runs next, and there is some."""
    block = tree.block(acquire)
    if tree.index(acquire) + 1 == len(block.body):
        return False
    while block is not outer.body:
        holder = tree.parent(block)
        if not isinstance(holder, cst.With) or tree.block(holder).body[-1] is not holder:
            return False
        block = tree.block(holder)
    return True


class _LateTry(NamedTuple):
    outer: cst.Try
    acquire: Statement
    release: Statement
    call: cst.Call
    awaited: bool

    def proposal(self, tree: Tree) -> Proposal:
        rewriting = Rewriting(tree)
        final = tree.block(self.release)
        rest = [entry for entry in final.body if entry is not self.release]
        header = self.call.func.value  # type: ignore[attr-defined]
        first = self.acquire is self.outer.body.body[0]
        reason = ""
        if first and final.body[-1] is self.release:
            self._around(rewriting, header, keep=bool(rest or self.outer.handlers))
        else:
            late = any(is_loud(handler.body) for handler in self.outer.handlers)
            moved = final.body[0] is not self.release and any(map(is_loud, rest))
            reason = "handlers, or the rest of the `finally`, no longer run under the lock" if late or moved else ""
            self._inside(rewriting, header, keep=bool(rest or self.outer.handlers))
        text = f"{'async ' if self.awaited else ''}with {tree.spelled(header)}:"
        return Proposal(rewriting.code(), f"Use `{text}`", "unsafe" if reason else "safe", reason)

    def _around(self, rewriting: Rewriting, header: cst.BaseExpression, *, keep: bool) -> None:
        """The whole `try` under the lock; its body alone where nothing else is left of it."""
        tree, outer = rewriting.tree, self.outer
        block, place = tree.block(outer), tree.index(outer)
        self._without_release(rewriting)
        rewriting.splice(tree.block(self.acquire), 0, 1, lambda old: [])

        def build(old: list[Statement]) -> list[Statement]:
            assert isinstance(old[0], cst.Try)
            first, *others = [_whole(old[0])] if keep else _body(old[0])
            above = () if keep else first.leading_lines
            inner = first.with_changes(leading_lines=(*self.acquire.leading_lines, *above))
            return [self._with(header, [inner, *others], outer.leading_lines, indent_of(block))]

        rewriting.splice(block, place, place + 1, build)

    def _inside(self, rewriting: Rewriting, header: cst.BaseExpression, *, keep: bool) -> None:
        """What follows the acquire under the lock, and the `try` gone where nothing else is left of it."""
        tree, outer = rewriting.tree, self.outer
        inner, start = tree.block(self.acquire), tree.index(self.acquire)
        self._without_release(rewriting)
        leading = self.acquire.leading_lines
        rewriting.splice(
            inner, start, len(inner.body), lambda old: [self._with(header, old[1:], leading, indent_of(inner))]
        )
        block, place = tree.block(outer), tree.index(outer)

        def build(old: list[Statement]) -> list[Statement]:
            assert isinstance(old[0], cst.Try)
            if keep:
                return [_whole(old[0])]
            first, *others = _body(old[0])
            return [first.with_changes(leading_lines=(*outer.leading_lines, *first.leading_lines)), *others]

        rewriting.splice(block, place, place + 1, build)

    def _without_release(self, rewriting: Rewriting) -> None:
        place = rewriting.tree.index(self.release)
        rewriting.splice(rewriting.tree.block(self.release), place, place + 1, lambda old: [])

    def _with(self, header: cst.BaseExpression, body: list[Statement], leading: object, indent: str | None) -> cst.With:
        comment = self.acquire.trailing_whitespace if isinstance(self.acquire, cst.SimpleStatementLine) else None
        return with_block(
            header,
            body,
            leading=leading,  # type: ignore[arg-type]
            indent=indent,
            asynchronous=self.awaited,
            comment=comment,
            footer=comments_of(self.release),
        )


def _whole(node: cst.Try) -> cst.Try:
    """The `try` without a `finally` that has nothing left to do."""
    assert node.finalbody is not None
    return node if node.finalbody.body.body else node.with_changes(finalbody=None)


def _body(node: cst.Try) -> list[Statement]:
    """What is left of a `try` that has nothing left to do."""
    below = comments_below(node.finalbody.body) if node.finalbody is not None else []
    return [*freed(node.body), *below]
