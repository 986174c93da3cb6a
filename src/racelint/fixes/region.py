"""The stretch from an `acquire()` to its last `release()`, and how the releases in it can be taken out.

A release may go only where nothing that matters follows it inside the stretch: there it stands in tail position, and
the end of a `with` block does the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from racelint.fixes.expressions import is_loud, negated
from racelint.fixes.kept_comments import freed, lines_below
from racelint.fixes.statements import alone, comments_of, only_call
from racelint.model.summary import Span
from racelint.syntax.edits import Block, Rewriting, Statement, Tree
from racelint.syntax.nodes import child_nodes

_LEAVING = (cst.Return, cst.Raise, cst.Break, cst.Continue)


class NotRemovable(Exception):
    """The code has a shape that a `with` block cannot stand for: the text says which."""


_OTHER_BLOCKS = "the lock is taken and given back in blocks of which neither holds the other"
_ONE_LINE = "the `try` around it stands on one line"
_GOES_ON = "the code goes on after a release, where a `with` block would still hold the lock"


class Region:
    """`block.body[start:stop]`: the acquire and all that runs under the lock. Raises NotRemovable."""

    def __init__(self, tree: Tree, acquire: Statement, lock: cst.BaseExpression, releases: Sequence[Span]) -> None:
        self.tree = tree
        self.block = tree.block(acquire)
        self.start = tree.index(acquire)
        self.lock = tree.spelled(lock)
        self.releases = [self._release(span) for span in sorted(set(releases))]
        tops = [self._top(release) for release in self.releases]
        self.stop = max(tree.index(top) for top in tops) + 1
        if min(tree.index(top) for top in tops) <= self.start:
            raise NotRemovable("a release stands before the acquire")
        for release in self.releases:
            self._check_tail(release)
        self._check_all_known()
        self.idle = [self._idle(release) for release in self.releases]

    def _release(self, span: Span) -> cst.SimpleStatementLine:
        call = self.tree.at(span, cst.Call)
        statement = self.tree.statement(call) if call is not None else None
        if not isinstance(statement, cst.SimpleStatementLine) or not self._is_release(statement):
            raise NotRemovable("a release is no plain line that gives back what is taken there")
        return statement

    def _is_release(self, node: cst.CSTNode) -> bool:
        call = only_call(node)
        return (
            call is not None
            and not call.args
            and isinstance(call.func, cst.Attribute)
            and call.func.attr.value == "release"
            and self.tree.spelled(call.func.value) == self.lock
        )

    def _top(self, statement: Statement) -> Statement:
        """The statement of the region's own block that holds another."""
        for outer in (statement, *self.tree.ancestors(statement)):
            if isinstance(outer, Statement) and self.tree.parent(outer) is self.block:
                return outer
        raise NotRemovable(_OTHER_BLOCKS)

    def _check_tail(self, statement: Statement) -> None:
        """Whether nothing that matters follows `statement` inside the region."""
        current: Statement = statement
        while True:
            block = self.tree.block(current)
            if block is self.block:
                if self.tree.index(current) != self.stop - 1:
                    raise NotRemovable(_GOES_ON)
                return
            following = block.body[self.tree.index(current) + 1 :]
            if any(is_loud(entry) and not _only_fails(entry) for entry in following):
                raise NotRemovable(_GOES_ON)
            leaving = _leaving(following[-1]) if following else None
            if isinstance(leaving, (cst.Return, cst.Raise)):
                return
            outer = self._after(current, leaving)
            if outer is None:
                return
            current = outer

    def _after(self, statement: Statement, leaving: cst.CSTNode | None) -> Statement | None:
        """The statement after whose end control goes on; None where that lies outside of the region."""
        for outer in self.tree.ancestors(statement):
            if outer is self.block:
                return None
            if isinstance(outer, (cst.For, cst.While)):
                if leaving is None or isinstance(leaving, cst.Continue):
                    raise NotRemovable(_GOES_ON)
                return outer
            if isinstance(outer, cst.With):
                raise NotRemovable(_GOES_ON)
            if leaving is None and isinstance(outer, Statement) and isinstance(self.tree.parent(outer), Block):
                return outer
        raise NotRemovable(_GOES_ON)

    def _check_all_known(self) -> None:
        """No other acquire or release of the lock may stand between."""
        pending: list[cst.CSTNode] = list(self.block.body[self.start : self.stop])
        found = 0
        while pending:
            node = pending.pop()
            if isinstance(node, cst.Attribute) and node.attr.value in ("acquire", "release"):
                found += self.tree.spelled(node.value) == self.lock
            pending.extend(child_nodes(node))
        if found != len(self.releases) + 1:
            raise NotRemovable("the lock is taken or given back once more in between")

    def _idle(self, release: Statement) -> Statement:
        """The release, or the `if` around it that has nothing else to do."""
        idle = release
        while len(self.tree.block(idle).body) == 1:
            holder = self.tree.parent(self.tree.block(idle))
            listed = isinstance(holder, cst.If) and isinstance(self.tree.parent(holder), Block)
            if not listed or holder.orelse is not None or is_loud(holder.test):  # type: ignore[attr-defined]
                break
            assert isinstance(holder, cst.If)
            idle = holder
        return idle

    def remove_releases(self, rewriting: Rewriting) -> None:
        """Take out the releases that stand deeper than the region's own block; `cleaned` does the rest."""
        for idle in self.idle:
            block = self.tree.block(idle)
            if block is self.block:
                continue
            index = self.tree.index(idle)
            last = index + 1 == len(block.body)
            rewriting.splice(block, index, index + (1 if last else 2), self._without_first)
            holder = self.tree.parent(block)
            if isinstance(holder, cst.If) and len(block.body) == 1 and isinstance(holder.orelse, cst.Else):
                rewriting.replace(holder, _only_else)
            outer = self._try_with_final(block)
            if outer is not None and self.tree.block(outer) is not self.block:
                place = self.tree.index(outer)
                rewriting.splice(self.tree.block(outer), place, place + 1, lambda found: self.cleaned(found)[0])

    @staticmethod
    def _without_first(statements: list[Statement]) -> list[Statement]:
        """The comments of the release move to what follows it."""
        gone, *rest = statements
        if not rest:
            return []
        return [rest[0].with_changes(leading_lines=(*comments_of(gone), *rest[0].leading_lines))]

    def _try_with_final(self, block: Block) -> cst.Try | None:
        final = self.tree.parent(block)
        outer = self.tree.parent(final)
        return outer if isinstance(final, cst.Finally) and isinstance(outer, cst.Try) else None

    def cleaned(self, statements: Sequence[Statement]) -> tuple[list[Statement], list[cst.EmptyLine]]:
        """The statements without the region's last release and without a `try` that has nothing left to do.

        Also the comments of what went away.
        """
        kept: list[Statement] = []
        comments: list[cst.EmptyLine] = []
        for entry in statements:
            if any(entry is idle for idle in self.idle):
                comments.extend(comments_of(entry))
            elif isinstance(entry, cst.Try):
                kept.extend(_without_idle_parts(entry))
            else:
                kept.append(entry)
        for idle in self.idle:
            block = self.tree.block(idle)
            if len(block.body) == 1:
                comments.extend(comments_of(idle))
                comments.extend(lines_below(block) if isinstance(block, cst.IndentedBlock) else ())
        return _unspaced(kept), comments


def _leaving(statement: cst.CSTNode) -> cst.CSTNode | None:
    small = statement.body[-1] if isinstance(statement, cst.SimpleStatementLine) else None
    return small if isinstance(small, _LEAVING) else None


def _without_idle_parts(node: cst.Try) -> list[Statement]:
    """A `try` without an empty `finally` and handlers that only raise again; its body alone if nothing is left."""
    final = node.finalbody
    if final is not None and isinstance(final.body, cst.IndentedBlock) and not final.body.body:
        final = None
    handlers = node.handlers
    if all(_only_raises(handler) for handler in handlers):
        handlers = ()
    if final is not None or handlers:
        return [node.with_changes(finalbody=final, handlers=handlers)]
    blocks = [node.body, *([node.orelse.body] if node.orelse is not None else [])]
    if not all(isinstance(block, cst.IndentedBlock) for block in blocks):
        raise NotRemovable(_ONE_LINE)
    first, *rest = (entry for block in blocks for entry in freed(block))
    above = (*node.leading_lines, *first.leading_lines)
    return [first.with_changes(leading_lines=above), *rest]


def _only_else(node: cst.If) -> cst.If:
    """`if a: (nothing) else: b` as `if not a: b`."""
    assert isinstance(node.orelse, cst.Else)
    return node.with_changes(test=negated(node.test), body=node.orelse.body, orelse=None)


def _only_fails(entry: cst.CSTNode) -> bool:
    """`raise Error("…")`: making the exception does no harm under the lock."""
    small = alone(entry)
    made = small.exc if isinstance(small, cst.Raise) and small.cause is None else None
    return isinstance(made, cst.Call) and not is_loud(made.func) and not any(is_loud(arg) for arg in made.args)


def _only_raises(handler: cst.ExceptHandler) -> bool:
    body = handler.body.body
    small = body[0].body[0] if len(body) == 1 and isinstance(body[0], cst.SimpleStatementLine) else None
    return isinstance(small, cst.Raise) and small.exc is None


def _unspaced(statements: list[Statement]) -> list[Statement]:
    """Without blank lines above the first."""
    if not statements:
        return []
    first, *rest = statements
    lines = list(first.leading_lines)
    while lines and lines[0].comment is None:
        del lines[0]
    return [first.with_changes(leading_lines=lines), *rest]
