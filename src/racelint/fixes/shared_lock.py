"""RL206: a lock made for each call becomes one that all calls share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import libcst as cst

from racelint.fixes.async_home import async_homes
from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression, is_variable
from racelint.fixes.imports import after_imports, insert
from racelint.fixes.lock_home import LockHome, lock_home
from racelint.fixes.lock_safety import Extent, LockSafety, is_inside
from racelint.fixes.names import free_name
from racelint.fixes.places import functions_in, named, span_of
from racelint.fixes.reasons import in_one
from racelint.fixes.statements import alone, statement
from racelint.model.finding import Finding
from racelint.program.linked.per_call_locks import Fresh, PerCallLocks
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.locations import Location
from racelint.syntax.edits import Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within

_HOME = "_shared_lock"


class SharedLock(Fixer):
    """`with Lock():` takes the lock beside what is changed under it, or a new one there, and so does what takes a local
    one; where nothing says where it belongs, the module has it. A method or property that makes one gives out that of
    the object. `locks.get(key, Lock())` becomes `locks.setdefault(key, Lock())`. A coroutine of a method takes one of
    its object.

    Safe where nothing runs under the lock but the program's own plain computation; unsafe where calls run under it that
    may wait or call back, now that they exclude one another, where a method gives it out, and in coroutines. Not
    offered for a lock of threads across an await.
    """

    codes = ("RL206",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        for fresh in PerCallLocks(draft.program).found():
            if fresh.function.module.source.display == finding.path and fresh.span == span_of(finding):
                made = tree.at(fresh.made, cst.Call)
                if made is not None:
                    yield from _proposals(draft, tree, fresh, made)
                else:
                    yield Obstacle("a method or property makes the lock")
                return


def _proposals(draft: Draft, tree: Tree, fresh: Fresh, made: cst.Call) -> Iterator[Attempt]:
    outer = tree.parent(made)
    if fresh.function.ir.is_async and isinstance(outer, cst.WithItem):
        yield from _of_object(draft, tree, fresh, made)
        return
    if isinstance(outer, cst.Return):
        yield from _kept(draft, tree, fresh, made)
        return
    rewriting = Rewriting(tree)
    if isinstance(outer, cst.Arg) and _sets_default(rewriting, tree.parent(outer)):
        yield Proposal(rewriting.code(), "Keep the lock that is made: `setdefault`")
        return
    extent = _extent(draft, tree, fresh)
    if extent is None:
        yield Obstacle("what runs under the lock is not plain to see")
        return
    reason = _reason(draft, fresh, extent)
    if isinstance(reason, Obstacle):
        yield reason
        return
    yield from _at_home(draft, tree, fresh)
    if isinstance(outer, cst.WithItem):
        name = _HOME
        rewriting.replace(made, lambda updated: cst.Name(name))
    else:
        line = tree.statement(made)
        name = _assigned(line)
        if not name or line is None:
            made_by_method = isinstance(alone(line), cst.Return)
            yield Obstacle(
                "a method or property makes the lock" if made_by_method else "the lock has no name of its own"
            )
            return
        if _is_known(tree, name):  # that one is another
            name = free_name(set(re.findall(r"\w+", tree.text)), f"_{fresh.function.ir.name.strip('_')}_lock")
            rewriting.replace(made, lambda updated: cst.Name(name))
        else:
            place = tree.index(line)
            rewriting.splice(tree.block(line), place, place + 1, lambda old: [])
    if not _is_known(tree, name):
        insert(rewriting, tree.module, after_imports(tree), statement(f"{name} = {tree.spelled(made)}"))
    claims = frozenset([name])
    yield Proposal(rewriting.code(), f"Make the lock once, as `{name}`", "unsafe" if reason else "safe", reason, claims)


class _Homecoming(NamedTuple):
    """A lock, the call that makes it, where it belongs, and why it is not safe to have it there."""

    made: cst.Call
    home: LockHome
    reason: str


def _at_home(draft: Draft, tree: Tree, fresh: Fresh) -> Iterator[Proposal]:
    """The lock beside what is changed under it: for all that belong there, else for this one alone."""
    own = _homecoming(draft, tree, fresh)
    if own is None:
        return
    found = [_homecoming(draft, tree, other) for other in PerCallLocks(draft.program).found() if other != fresh]
    others = [other for other in found if other is not None and other.home.identity == own.home.identity]
    for group in ([own, *others], [own]) if others else ([own],):
        rewriting = Rewriting(tree)
        if all(_takes(tree, rewriting, one.made, one.home.header) for one in group):
            own.home.make(rewriting)
            reason = "; ".join(dict.fromkeys(one.reason for one in group if one.reason))
            message = f"Make the lock once, as `{own.home.header}`"
            yield Proposal(rewriting.code(), message, "unsafe" if reason else "safe", reason, own.home.claims)


def _homecoming(draft: Draft, tree: Tree, fresh: Fresh, maker: FunctionInfo | None = None) -> _Homecoming | None:
    made = tree.at(fresh.made, cst.Call) if draft.tree(fresh.function.module.source.display) is tree else None
    extent = (
        _extent(draft, tree, fresh) if made is not None and _is_plain(draft, fresh, maker or fresh.function) else None
    )
    reason = _reason(draft, fresh, extent) if extent is not None else None
    reason = None if isinstance(reason, Obstacle) else reason
    home = lock_home(draft, fresh.function, extent, fresh.name) if extent is not None else None
    return _Homecoming(made, home, reason) if made is not None and home is not None and reason is not None else None


def _kept(draft: Draft, tree: Tree, fresh: Fresh, made: cst.Call) -> Iterator[Proposal]:
    """`return Lock()` of a method or property gives out the lock of the object."""
    functions = functions_in(draft.program, fresh.function.module.source.display)
    maker = next((f for f in functions if _makes(f, fresh)), None)
    own = _homecoming(draft, tree, fresh, maker)
    if own is None or maker is None or maker.cls is not fresh.function.cls:
        return
    if fresh.name == "RLock" and not own.home.claims:  # the one that is there may not be taken twice
        return
    if own.home.header.startswith("self.") and "self" not in (maker.self_name, fresh.function.self_name):
        return
    rewriting = Rewriting(tree)
    rewriting.replace(made, lambda updated: expression(own.home.header))
    own.home.make(rewriting)
    reason = in_one(filter(None, [f"`{maker.ir.name}` gives everybody the same lock now", own.reason]))
    yield Proposal(rewriting.code(), f"Make the lock once, as `{own.home.header}`", "unsafe", reason, own.home.claims)


def _makes(function: FunctionInfo, fresh: Fresh) -> bool:
    """Whether it is the function that makes the lock."""
    return function.ir.kind == "function" and is_inside(fresh.made, function.ir.span)


def _of_object(draft: Draft, tree: Tree, fresh: Fresh, made: cst.Call) -> Iterator[Attempt]:
    """`async with asyncio.Lock():` in a method takes a lock of the object."""
    function = fresh.function
    taken = tree.statement(made)
    if function.cls is None or not function.self_name or taken is None:
        yield Obstacle("the coroutine is no method of an object that could keep the lock")
        return
    home = next(async_homes(draft, function, Location("attribute", function.cls.id, (function.ir.name,))), None)
    extent = Extent(tree.span(taken)[0] + 1, tree.span(taken)[2])
    safety = LockSafety(draft.program, home.lock if home is not None else None, [function])
    if home is None:
        yield Obstacle(f"there is no place for a lock in `{function.cls.ir.name}`")
        return
    if safety.examine(function, extent).nested or any(safety.retakings(function, extent)):
        yield Obstacle(f"what is awaited there comes back to {named(function)}, which would wait for itself")
        return
    rewriting = Rewriting(tree)
    home.make(rewriting)
    rewriting.replace(made, lambda updated: expression(home.header))
    reason = "tasks now wait for one another there, and the lock belongs to one event loop"
    yield Proposal(rewriting.code(), f"Make the lock once, as `{home.header}`", "unsafe", reason, home.claims)


def _sets_default(rewriting: Rewriting, call: cst.CSTNode) -> bool:
    """`locks.get(key, Lock())`."""
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or call.func.attr.value != "get":
        return False
    rewriting.replace(call.func, lambda updated: updated.with_changes(attr=cst.Name("setdefault")))
    return True


def _assigned(entry: Statement | None) -> str:
    """The name that a line binds the lock to."""
    small = alone(entry)
    target = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    return target.value if isinstance(target, cst.Name) else ""


def _is_known(tree: Tree, name: str) -> bool:
    """Whether the module binds the name already."""
    return any(_assigned(entry) == name for entry in tree.module.body if isinstance(entry, cst.SimpleStatementLine))


def _is_plain(draft: Draft, fresh: Fresh, maker: FunctionInfo) -> bool:
    """Whether it is a lock of threads."""
    calls = draft.program.stores.facts[maker.id].calls
    call = next((call for call in calls if call.span == fresh.made), None)
    things = draft.program.types.of_value(call.func, maker) if call is not None else ()
    return any(isinstance(thing, External) and thing.dotted == f"threading.{fresh.name}" for thing in things)


def _takes(tree: Tree, rewriting: Rewriting, made: cst.Call, header: str) -> bool:
    """Put another lock where one is made, and in place of the name that it is given; False where that cannot be."""
    if isinstance(tree.parent(made), cst.WithItem):
        rewriting.replace(made, lambda updated: expression(header))
        return True
    line = tree.statement(made)
    name, scope = _assigned(line), tree.scope(made)
    names = [n for n in nodes_within(scope) if isinstance(n, cst.Name) and n.value == name and is_variable(tree, n)]
    if not name or line is None or any(tree.scope(node) is not scope for node in names):
        return False
    bound = [node for node in names if isinstance(tree.parent(node), (cst.AssignTarget, cst.NamedExpr, cst.Param))]
    if len(bound) != 1:
        return False
    place = tree.index(line)
    rewriting.splice(tree.block(line), place, place + 1, lambda old: [])
    for node in names:
        if node is not bound[0]:
            rewriting.replace(node, lambda updated: expression(header))
    return True


def _extent(draft: Draft, tree: Tree, fresh: Fresh) -> Extent | None:
    """What runs under the lock; None where that is not plain."""
    taken = tree.node_at(fresh.span)
    block = tree.statement(taken) if taken is not None else None
    if block is None or fresh.function not in functions_in(draft.program, fresh.function.module.source.display):
        return None
    if isinstance(block, cst.With):
        return Extent(tree.span(block.body.body[0])[0], tree.span(block)[2])
    return Extent(fresh.span[0] + 1, fresh.function.ir.span[2])


def _reason(draft: Draft, fresh: Fresh, extent: Extent) -> str | Obstacle:
    """Why it is not safe to exclude; an obstacle where it is not possible."""
    found = LockSafety(draft.program, None, ()).examine(fresh.function, extent)
    against = (*found.obstacles, *found.cautions)
    return Obstacle(against[0]) if against else in_one(found.doubts)
