"""RL203: a lock that its holder takes again becomes an `RLock`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Fixer, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.field_factory import lock_factory, make_factory_reentrant
from racelint.fixes.imports import imported
from racelint.fixes.places import maker_of, span_of, type_of_call
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

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Proposal]:
        tree = draft.tree(finding.path)
        for nesting in taken_twice(draft.program):
            display = nesting.function.module.source.display
            if (display, nesting.span, nesting.held.lock.name) != (finding.path, span_of(finding), finding.subject):
                continue
            rewriting = Rewriting(tree)
            if make_reentrant(draft, rewriting, nesting.held.lock.location):
                yield Proposal(rewriting.code(), f"Make `{nesting.held.lock.short}` an `RLock`")
            return


def make_reentrant(draft: Draft, rewriting: Rewriting, location: Location) -> bool:
    """Make the lock an `RLock` where it is made; False, and nothing done, where that cannot be or may not."""
    program, tree = draft.program, rewriting.tree
    home = next((cls for cls in program.index.classes if cls.id == location.owner), None)
    here = home is not None and draft.tree(home.module.source.display) is tree
    factory = lock_factory(tree, location) if here else None
    if factory is not None and not _needs_a_plain_one(program, location):
        make_factory_reentrant(rewriting, factory)
        return True
    made = maker_of(program, location)
    made = _inside(program, *made) if made is not None else None
    if made is None or made[1].args or draft.tree(made[0].module.source.display) is not tree:
        return False
    call = tree.at(made[1].span, cst.Call)
    module = _PLAIN.get(type_of_call(program, *made))
    if call is None or module is None or _needs_a_plain_one(program, location):
        return False
    if isinstance(call.func, cst.Attribute):
        name: cst.BaseExpression = call.func.with_changes(attr=cst.Name("RLock"))
    else:
        name = cst.parse_expression(imported(rewriting, module, "RLock", call, by_name=True))
    rewriting.replace(call, lambda updated: updated.with_changes(func=name))
    return True


def _inside(program: Program, function: FunctionInfo, call: Call) -> tuple[FunctionInfo, Call] | None:
    """The lock that a condition is given, where that is made there and then; any other call itself."""
    if type_of_call(program, function, call) != "threading.Condition":
        return function, call
    given = call.args[0].value if len(call.args) == 1 else ()
    inner = program.stores.facts[function.id].made_by(given[0]) if len(given) == 1 else None
    return (function, inner) if inner is not None else None


def _needs_a_plain_one(program: Program, location: Location) -> bool:
    """An `RLock` belongs to the thread that took it, and cannot be asked whether it is taken."""
    for function in program.index.functions:
        flow = program.flows.of(function)
        if any(lock.location == location and state.hold(location) is None for lock, _, state in flow.releases):
            return True
        for access in program.stores.facts[function.id].accesses:
            given = access.path[-1] == "locked" or (access.path[-1] in RELEASES and not access.called)
            if given and len(access.path) > 1:
                lock = program.locks.of(access.path[:-1], function)
                if lock is not None and lock.location == location:
                    return True
    return False
