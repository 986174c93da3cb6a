"""RL201, RL211: `acquire()` and `release()` become a `with` statement."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.partial_acquire import partial_acquire
from racelint.fixes.places import call_at
from racelint.fixes.region import NotRemovable, Region
from racelint.fixes.statements import indent_of, only_call, with_block
from racelint.fixes.tried_release import tried_before, tried_release
from racelint.fixes.unwound_release import released_beside, released_by_helper, released_on_error
from racelint.model.finding import Finding
from racelint.model.fix import Applicability
from racelint.model.summary import Call
from racelint.program import Program
from racelint.program.linked.tenures import Tenures
from racelint.program.lock_use.skipped_releases import skipped_releases
from racelint.program.lock_use.unprotected_yields import unprotected_yields
from racelint.program.locking.leaks import Tenure, follow
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Instance
from racelint.syntax.edits import Rewriting, Statement, Tree

_GIVEN_TWICE = "another function took the lock, and who handles the exception may give it back, too"


class WithStatement(Fixer):
    """The statements from the `acquire()` to the last `release()` go into a `with` block, the releases go away.

    Safe where the lock is given back on every path, or only an exception keeps it: the same code runs under the lock.
    Unsafe for a lock that another function took: who handles the exception may give it back, too.
    Where the acquire may fail, as with a timeout, or a condition decides on both, the release goes into a `finally`; so
    does that of a lock which another function took, and what a context manager does behind its `yield`. Where the next
    lock is refused, the one before it is given back. Not offered where something but leaving the function follows a
    release inside the block, and where the pair does not begin and end in one block. What keeps the lock for later, as
    a pool does its permits, gives it back where the rest of it fails, and raises again.
    """

    codes = ("RL201", "RL211")

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        found = call_at(draft.program, finding)
        if found is None:
            return
        function, call = found
        program, tree = draft.program, draft.tree(finding.path)
        skipped = next((s for s in skipped_releases(program) if s.release is call), None)
        if skipped is None:
            yield from _of_tenure(program, tree, function, call, finding.code)
        for judged in Tenures(program).taken_by_callees() if finding.code == "RL201" else ():
            text = released_by_helper(tree, judged.tenure) if judged.tenure.call is call else None
            if text is not None:
                yield Proposal(text, "Give the lock back in a `finally`")
        ends = [(skipped.release.span, skipped.raising.span, _GIVEN_TWICE)] if skipped is not None else []
        ends += [(open_.giving.span, open_.switch, "") for open_ in unprotected_yields(program) if open_.taking is call]
        for release, raising, doubt in ends if finding.code == "RL201" else ():
            text = tried_before(tree, release, raising)
            if text is not None:
                yield Proposal(text, "Give the lock back in a `finally`", "unsafe" if doubt else "safe", doubt)


def _of_tenure(program: Program, tree: Tree, function: FunctionInfo, call: Call, code: str) -> Iterator[Attempt]:
    """From what becomes of the lock that `call` takes."""
    flow = program.flows.of(function)
    lock = next((lock for lock, node, _ in flow.acquisitions if node is call), None)
    if lock is None or not is_context_manager(program, function, lock, call.func[0][:-1]):
        yield Obstacle("`with` cannot take what is acquired there")
        return
    tenure = follow(program.flows, function, call, lock)
    kept = any(leak.kind in ("return", "turn") for leak in tenure.leaks)
    given_back = "a path leaves the lock held on purpose, perhaps; now it is given back there too" if kept else ""
    applicability: Applicability = "unsafe" if kept else "safe"
    for text in partial_acquire(tree, tenure) if code == "RL201" else ():
        yield Proposal(text, "Give the lock back where the next one is refused")
    tried = tried_release(tree, tenure) if code == "RL201" else None
    if tried is not None and not tenure.handed_on:
        yield Proposal(tried, "Give the lock back in a `finally`", applicability, given_back)
    if code == "RL201":
        yield from _unwound(program, tree, tenure)
    if obstacle := _against_a_block(tenure):
        yield obstacle
        return
    try:
        text, block = _rewritten(tree, tenure)
    except NotRemovable as error:
        yield Obstacle(str(error))
        return
    yield Proposal(text, f"Use `{block}`", applicability, given_back)


def _unwound(program: Program, tree: Tree, tenure: Tenure) -> Iterator[Proposal]:
    """Where the lock is kept for later, or never given back."""
    on_error = released_on_error(tree, tenure)
    if on_error is not None:
        yield Proposal(on_error, "Give the lock back where the rest fails, and raise again")
    beside = released_beside(program, tree, tenure)
    if beside is not None:
        doubt = "nothing but the `finally` says where the lock was to be given back"
        yield Proposal(beside, "Give the lock back in the `finally`, too", "unsafe", doubt)


def _against_a_block(tenure: Tenure) -> Obstacle | None:
    """Why no block of the function can be all that runs under the lock."""
    if tenure.handed_on:
        return Obstacle("another function gives the lock back")
    if not tenure.releases:
        return Obstacle("nothing there gives the lock back, and where it should be, the code does not say")
    if tenure.flagged or tenure.conditional:
        return Obstacle("whether the lock is taken, or given back, hangs on a condition")
    return None


def _rewritten(tree: Tree, tenure: Tenure) -> tuple[str, str]:
    """The new text, and the head of the new block as people write it. Raises NotRemovable."""
    acquire = tree.at(tenure.call.span, cst.Call)
    statement = tree.statement(acquire) if acquire is not None else None
    if acquire is None or not isinstance(statement, cst.SimpleStatementLine) or only_call(statement) is not acquire:
        raise NotRemovable("the answer of the acquire is looked at")
    assert isinstance(acquire.func, cst.Attribute)
    header = acquire.func.value
    region = Region(tree, statement, header, [call.span for call in tenure.releases])
    rewriting = Rewriting(tree)
    region.remove_releases(rewriting)
    awaited = isinstance(tree.parent(acquire), cst.Await)

    def build(statements: Sequence[Statement]) -> list[Statement]:
        body, comments = region.cleaned(statements[1:])
        if not body:
            raise NotRemovable("nothing runs under the lock")
        return [
            with_block(
                header,
                body,
                leading=statement.leading_lines,
                indent=indent_of(region.block),
                asynchronous=awaited,
                comment=statement.trailing_whitespace,
                footer=comments,
            )
        ]

    rewriting.splice(region.block, region.start, region.stop, build)
    return rewriting.code(), f"{'async ' if awaited else ''}with {tree.spelled(header)}:"


def is_context_manager(program: Program, function: FunctionInfo, lock: Lock, path: tuple[str, ...]) -> bool:
    """Whether `with` does to the lock what acquire and release do: a class of the program must say so itself."""
    if lock.opaque:
        return False
    for thing in program.types.of(path, function):
        if isinstance(thing, Instance) and program.locks.classes.is_lock(thing.cls):
            return thing.cls.method("__enter__") is not None and thing.cls.method("__exit__") is not None
    return True
