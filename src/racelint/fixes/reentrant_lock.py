"""RL203: a lock that its holder takes again becomes an `RLock`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.field_factory import lock_factory, make_factory_reentrant
from racelint.fixes.imports import imported
from racelint.fixes.names import class_of
from racelint.fixes.places import maker_of, named, span_of, type_of_call
from racelint.knowledge.locks import RELEASES
from racelint.model.finding import Finding
from racelint.model.summary import Call
from racelint.program import Program
from racelint.program.lock_use.taken_twice import taken_twice
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.syntax.edits import Rewriting

_PLAIN = {"threading.Lock": "threading", "multiprocessing.Lock": "multiprocessing"}


class ReentrantLock(Fixer):
    """`Lock()` becomes `RLock()` where the lock is made, also inside of a condition: `Condition(Lock())`, and
    in a dataclass: `field(default_factory=Lock)`.

    Safe where the thread that takes the lock also gives it back, in the same function: only what waited for ever
    changes. Not offered where some function releases what it has not taken, where the lock is asked whether it is
    `locked()`, or where it is made in another file.
    """

    codes = ("RL203",)

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        tree = draft.tree(finding.path)
        for nesting in taken_twice(draft.program):
            display = nesting.function.module.source.display
            if (display, nesting.span, nesting.held.lock.name) != (finding.path, span_of(finding), finding.subject):
                continue
            rewriting = Rewriting(tree)
            obstacle = make_reentrant(draft, rewriting, nesting.held.lock.location)
            yield obstacle or Proposal(rewriting.code(), f"Make `{nesting.held.lock.short}` an `RLock`")
            return
        yield Obstacle("what the modules do that are imported with the lock held is not known; import them before")


def make_reentrant(draft: Draft, rewriting: Rewriting, location: Location) -> Obstacle | None:
    """Make the lock an `RLock` where it is made; what is in the way, and nothing done, where that may not be."""
    program, tree, name = draft.program, rewriting.tree, location.attribute
    home = class_of(program, location)
    here = home is not None and draft.tree(home.module.source.display) is tree
    field = lock_factory(tree, location) if here else None
    if field is not None and not _need_of_a_plain_one(program, location):
        make_factory_reentrant(rewriting, field)
        return None
    made = maker_of(program, location)
    made = _inside(program, *made) if made is not None else None
    if made is None:
        return Obstacle(f"it is not plain which call makes the lock `{name}`")
    display = made[0].module.source.display
    if draft.tree(display) is not tree:
        return Obstacle(f"the lock `{name}` is made in {display}")
    call = tree.at(made[1].span, cst.Call)
    dotted = type_of_call(program, *made)
    if call is None or dotted not in _PLAIN or made[1].args:
        return Obstacle(f"the lock `{name}` is no plain `Lock()` that could become an `RLock`")
    if needs := _need_of_a_plain_one(program, location):
        return Obstacle(f"{needs}, which an `RLock` does not allow")
    if isinstance(call.func, cst.Attribute):
        factory: cst.BaseExpression = call.func.with_changes(attr=cst.Name("RLock"))
    else:
        factory = cst.parse_expression(imported(rewriting, _PLAIN[dotted], "RLock", call, by_name=True))
    rewriting.replace(call, lambda updated: updated.with_changes(func=factory))
    return None


def _inside(program: Program, function: FunctionInfo, call: Call) -> tuple[FunctionInfo, Call] | None:
    """The lock that a condition is given, where that is made there and then; any other call itself."""
    if type_of_call(program, function, call) != "threading.Condition":
        return function, call
    given = call.args[0].value if len(call.args) == 1 else ()
    inner = program.stores.facts[function.id].made_by(given[0]) if len(given) == 1 else None
    return (function, inner) if inner is not None else None


def _need_of_a_plain_one(program: Program, location: Location) -> str:
    """Who needs what an `RLock` is not: given back by others, or asked whether it is taken. Empty for nobody."""
    for function in program.index.functions:
        flow = program.flows.of(function)
        if any(lock.location == location and state.hold(location) is None for lock, _, state in flow.releases):
            return f"{named(function)} gives the lock back without having taken it"
        for access in program.stores.facts[function.id].accesses:
            given = access.path[-1] == "locked" or (access.path[-1] in RELEASES and not access.called)
            if given and len(access.path) > 1:
                lock = program.locks.of(access.path[:-1], function)
                if lock is not None and lock.location == location:
                    return f"{named(function)} uses `{location.attribute}.{access.path[-1]}`"
    return ""
