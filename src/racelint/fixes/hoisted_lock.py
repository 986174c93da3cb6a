"""RL401: the lock is taken once, around the loop, or around one update after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression, is_loud
from racelint.fixes.kept_comments import freed
from racelint.fixes.places import functions_in, span_of, stored_at
from racelint.fixes.region import NotRemovable, Region
from racelint.fixes.statements import indent_of, line, only_call, unused_name, with_block
from racelint.model.finding import Finding
from racelint.model.summary import Access, With
from racelint.program.flow.values import Stored, nodes_of
from racelint.program.lock_use.hot_loops import HotLoop, HotLoops
from racelint.program.locking.leaks import follow
from racelint.syntax.edits import Rewriting, Statement, Tree

_SUMMING = (cst.AddAssign, cst.SubtractAssign)


class HoistedLock(Fixer):
    """What a loop adds up under the lock, it adds up in a local and gives to the shared variable once, under the lock.

    Where it does something else than add, the lock is taken around the whole loop instead. Unsafe: the other threads
    see the steps together, or wait until the loop has ended.
    """

    codes = ("RL401",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        hot = _hot_loop(finding, draft)
        tree = draft.tree(finding.path)
        section = _section(tree, hot, draft) if hot is not None else None
        if hot is None:
            yield Obstacle("the lock is taken by what the loop calls, not by its own body")
            return
        if section is None:
            yield Obstacle("the lock is not taken and given back at one level of the loop's body")
            return
        summed = section.summed(_is_number(draft, hot))
        if summed is not None:
            reason = "other threads see what the loop adds only when it has ended"
            yield Proposal(summed, f"Add up in a local, and take `{section.lock}` once", "unsafe", reason)
        around = section.around()
        if around is not None:
            reason = f"other threads wait for `{section.lock}` until the loop has ended"
            yield Proposal(around, f"Take `{section.lock}` once, around the loop", "unsafe", reason)


def _hot_loop(finding: Finding, draft: Draft) -> HotLoop | None:
    loops = HotLoops(draft.program)
    for function in functions_in(draft.program, finding.path):
        for hot in loops.of(function):
            taken = hot.taken.item.span if isinstance(hot.taken, With) else hot.taken.span
            if taken == span_of(finding) and hot.through is None:
                return hot
    return None


class _Section:
    """The critical section that makes up a loop's body: `with lock:` or the stretch from acquire to release."""

    def __init__(
        self, tree: Tree, loop: cst.For | cst.While, header: cst.BaseExpression, start: int, stop: int
    ) -> None:
        self.tree = tree
        self.loop = loop
        self.header = header
        self.start, self.stop = start, stop
        self.region: Region | None = None

    @property
    def lock(self) -> str:
        return self.tree.spelled(self.header)

    def around(self) -> str | None:
        """The text with the lock around the loop."""
        rewriting = Rewriting(self.tree)
        block = self.tree.block(self.loop)
        place = self.tree.index(self.loop)
        comment = self._comment()

        def build(old: list[Statement]) -> list[Statement]:
            loop = old[0]
            lead = loop.leading_lines
            inner = loop.with_changes(leading_lines=())
            return [with_block(self.header, [inner], leading=lead, indent=indent_of(block), comment=comment)]

        self._open(rewriting, lambda body: body)
        rewriting.splice(block, place, place + 1, build)
        try:
            return rewriting.code()
        except NotRemovable:
            return None

    def summed(self, is_number: bool) -> str | None:
        """The text with a local sum, where one `x += …` of a number is all that the lock covers."""
        update = self._update()
        if update is None or not is_number or not isinstance(self.loop, cst.For) or self.loop.orelse is not None:
            return None
        small = update.body[0]
        assert isinstance(small, cst.AugAssign)
        name = cst.Name(unused_name(self.tree, self.loop, f"own_{_last_name(small.target).strip(chr(95))}"))
        adding = small.with_changes(target=name, operator=cst.AddAssign())
        giving = small.with_changes(value=name)
        rewriting = Rewriting(self.tree)
        self._open(rewriting, lambda body: [entry.with_changes(body=[adding]) for entry in body])
        block = self.tree.block(self.loop)
        place = self.tree.index(self.loop)
        comment = self._comment()

        def build(old: list[Statement]) -> list[Statement]:
            zero = line(cst.Assign([cst.AssignTarget(name)], expression("0")), leading=old[0].leading_lines)
            given = with_block(self.header, [line(giving)], indent=indent_of(block), comment=comment)
            return [zero, old[0].with_changes(leading_lines=()), given]

        rewriting.splice(block, place, place + 1, build)
        return rewriting.code()

    def _update(self) -> cst.SimpleStatementLine | None:
        """`x += …` of what no other thread changes."""
        covered = self._covered()
        only = covered[0] if len(covered) == 1 else None
        if not isinstance(only, cst.SimpleStatementLine) or len(only.body) != 1:
            return None
        small = only.body[0]
        if not isinstance(small, cst.AugAssign) or not isinstance(small.operator, _SUMMING) or is_loud(small.value):
            return None
        if isinstance(small.target, cst.Subscript) or not isinstance(small.value, (cst.Name, cst.Integer)):
            return None
        return only

    def _covered(self) -> Sequence[cst.CSTNode]:
        first = self.loop.body.body[self.start]
        if isinstance(first, cst.With):
            return first.body.body
        return self.loop.body.body[self.start + 1 : self.stop - 1]

    def _comment(self) -> cst.TrailingWhitespace | None:
        first = self.loop.body.body[self.start]
        if isinstance(first, cst.With) and isinstance(first.body, cst.IndentedBlock):
            return first.body.header
        return first.trailing_whitespace if isinstance(first, cst.SimpleStatementLine) else None

    def _open(self, rewriting: Rewriting, change: object) -> None:
        """Take the lock out of the loop's body; `change` makes what stands there of what it covered."""
        assert callable(change)
        region = self.region
        if region is not None:
            region.remove_releases(rewriting)

        def build(old: list[Statement]) -> list[Statement]:
            if region is not None:
                body = region.cleaned(old[1:])[0]
                above = old[0].leading_lines
            else:
                assert isinstance(old[0], cst.With)
                body, above = freed(old[0].body), old[0].leading_lines
            first, *rest = body
            return change([first.with_changes(leading_lines=(*above, *first.leading_lines)), *rest])  # type: ignore[no-any-return]

        assert isinstance(self.loop.body, cst.IndentedBlock)
        rewriting.splice(self.loop.body, self.start, self.stop, build)


def _section(tree: Tree, hot: HotLoop, draft: Draft) -> _Section | None:
    """Where the section stands in the source; None where it has a shape that cannot be moved."""
    if isinstance(hot.taken, With):
        item = tree.expression_at(hot.taken.item.span)
        taken = tree.statement(item) if item is not None else None
        if not isinstance(taken, cst.With) or len(taken.items) != 1 or item is None:
            return None
        if not isinstance(taken.body, cst.IndentedBlock):
            return None
        return _placed(tree, taken, item, None)
    call = tree.at(hot.taken.span, cst.Call)
    taken_line = tree.statement(call) if call is not None else None
    if taken_line is None or only_call(taken_line) is not call or not isinstance(call.func, cst.Attribute):  # type: ignore[union-attr]
        return None
    assert call is not None
    tenure = follow(draft.program.flows, hot.function, hot.taken, hot.lock)
    if not tenure.releases:
        return None
    try:
        region = Region(tree, taken_line, call.func.value, [release.span for release in tenure.releases])
    except NotRemovable:
        return None
    return _placed(tree, taken_line, call.func.value, region)


def _placed(tree: Tree, taken: Statement, header: cst.BaseExpression, region: Region | None) -> _Section | None:
    loop = tree.parent(tree.block(taken))
    if not isinstance(loop, (cst.For, cst.While)) or tree.block(taken) is not loop.body:
        return None
    start = tree.index(taken)
    section = _Section(tree, loop, header, start, region.stop if region is not None else start + 1)
    section.region = region
    return section


def _is_number(draft: Draft, hot: HotLoop) -> bool:
    """Whether what the section adds to starts as a number, and is only ever added to."""
    program = draft.program
    added = [node for node in nodes_of(hot.loop.body) if isinstance(node, Access) and node.augmented]
    for access in added:
        location = program.locations.of(access.path, hot.function)
        entries = stored_at(program, location) if location is not None else []
        if not entries or not all(_keeps_number(entry) for entry in entries):
            return False
    return bool(added)


def _keeps_number(entry: Stored) -> bool:
    if entry.access is not None and entry.access.augmented:
        return True
    return bool(entry.value) and all(path[0].startswith(("k:int:", "k:float")) for path in entry.value)


def _last_name(target: cst.CSTNode) -> str:
    return target.attr.value if isinstance(target, cst.Attribute) else getattr(target, "value", "sum")
