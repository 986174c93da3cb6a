"""RL105: what others look for without the lock is stored last, when all that it stands for is there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.drained import only_uses, with_name
from racelint.fixes.lock_safety import is_inside
from racelint.fixes.places import functions_in, span_of
from racelint.fixes.statements import alone, line, unused_name
from racelint.model.finding import Finding
from racelint.model.summary import Call, Span
from racelint.program import Program
from racelint.program.flow.values import event_span
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Bound, Member
from racelint.program.races.early_publications import early_publications
from racelint.program.races.early_signals import EarlySignals
from racelint.syntax.edits import Block, Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within

_LEAVING = (cst.Return, cst.Raise, cst.Break, cst.Continue, cst.Yield, cst.Await, cst.FunctionDef, cst.Lambda)


class _Store(NamedTuple):
    """A store that comes too early: `entry` and the statements that `follow` it are `block.body[place:]`, as far as
    none of them leaves the block."""

    program: Program
    function: FunctionInfo
    tree: Tree
    block: Block
    place: int
    target: cst.Attribute
    follow: list[Statement]

    @property
    def name(self) -> str:
        return self.tree.spelled(self.target)

    def is_named_in(self, entry: cst.CSTNode) -> bool:
        """Whether a statement speaks of what is stored."""
        return any(isinstance(n, cst.Attribute) and self.tree.spelled(n) == self.name for n in nodes_within(entry))

    def calls(self, entries: Sequence[Statement]) -> list[Call]:
        """What statements call."""
        spans = [self.tree.span(entry) for entry in entries]
        facts = self.program.stores.facts[self.function.id]
        return [call for call in facts.calls if any(is_inside(call.span, span) for span in spans)]

    def spelled(self, call: Call) -> str:
        """What is called, as it is written."""
        node = self.tree.at(call.span, cst.Call)
        return self.tree.spelled(node.func) if node is not None else "what is called"


def late_publication(draft: Draft, finding: Finding) -> Proposal | None:
    """`self.t = {}; self.t[1] = 2` as `t = {}; t[1] = 2; self.t = t`, `self.ready = True` behind what it stands for.

    None where the finding is of another kind, and where something in between leaves the block or looks for it.
    """
    tree = draft.tree(finding.path)
    function, span = _published(draft, finding) or (None, None)
    target = tree.at(span, cst.Attribute) if span is not None else None
    entry = tree.statement(target) if target is not None else None
    small = alone(entry)
    if function is None or entry is None or target is None or not isinstance(small, cst.Assign):
        return None
    if len(small.targets) != 1 or small.targets[0].target is not target:
        return None
    block, place = tree.block(entry), tree.index(entry)
    store = _Store(draft.program, function, tree, block, place, target, _until_left(block, place + 1))
    told = isinstance(small.value, cst.Name) and small.value.value == "True"
    return _flag_last(store) if told else _object_last(store)


def _published(draft: Draft, finding: Finding) -> tuple[FunctionInfo, Span] | None:
    """Where it is stored too early."""
    program, span = draft.program, span_of(finding)
    functions = set(functions_in(program, finding.path))
    for early in early_publications(program):
        if early.function in functions and event_span(early.function, early.check.since) == span:
            return early.function, event_span(early.function, early.check.act.event)
    for signal in EarlySignals(program).found():
        if signal.told.access.function in functions and signal.told.access.span == span:
            return signal.told.access.function, span
    return None


def _until_left(block: Block, start: int) -> list[Statement]:
    """The statements that certainly follow in the block, none of which leaves it."""
    found: list[Statement] = []
    for entry in block.body[start:]:
        if not isinstance(entry, Statement) or any(isinstance(node, _LEAVING) for node in nodes_within(entry)):
            break
        found.append(entry)
    return found


def _object_last(store: _Store) -> Proposal | None:
    """Made and filled under a name of its own, up to the last statement that speaks of it."""
    tree, place = store.tree, store.place
    uses = [n for n, entry in enumerate(store.follow, 1) if store.is_named_in(entry)]
    filling = store.follow[: uses[-1]] if uses else []
    rest = store.block.body[place + 1 + len(store.follow) :]
    if not filling or any(store.is_named_in(entry) for entry in rest):
        return None
    if not all(only_uses(tree, entry, store.target, fills=True) for entry in filling):
        return None
    name = cst.Name(unused_name(tree, store.target, store.target.attr.value.strip("_") or "made"))
    publishing = line(cst.Assign([cst.AssignTarget(store.target)], name))

    def build(old: list[Statement]) -> list[Statement]:
        return [*(with_name(tree, entry, store.name, name) for entry in old), publishing]

    rewriting = Rewriting(tree)
    rewriting.splice(store.block, place, place + 1 + len(filling), build)
    looking = next((call for call in store.calls(filling) if not _is_of(store, call) and _may_look(store, call)), None)
    doubt = f"`{store.spelled(looking)}()` may look for `{store.name}`, which is not there yet" if looking else ""
    return Proposal(rewriting.code(), f"Store `{store.name}` when it is complete", "unsafe" if doubt else "safe", doubt)


def _is_of(store: _Store, call: Call) -> bool:
    """Whether a method of the object itself is called."""
    return store.spelled(call).startswith(f"{store.name}.")


def _may_look(store: _Store, call: Call) -> bool:
    """Whether the call runs code that may know the object that holds it: not a function of a library."""
    things = store.program.types.of_value(call.func, store.function)
    return not things or not all(isinstance(thing, (External, Member)) for thing in things)


def _flag_last(store: _Store) -> Proposal | None:
    """Behind the last statement that stores something beside it."""
    storing = [n for n, entry in enumerate(store.follow, 1) if _stores_beside(store, entry)]
    between = store.follow[: storing[-1]] if storing else []
    asking = any(_is_method_of_owner(store, call) for call in store.calls(between))
    if not between or asking or any(store.is_named_in(entry) for entry in between):
        return None

    def build(old: list[Statement]) -> list[Statement]:
        flag, first, *rest = old
        blank = [empty for empty in flag.leading_lines if empty.comment is None]
        own = [empty for empty in flag.leading_lines if empty.comment is not None]
        above = [*blank, *first.leading_lines]
        return [first.with_changes(leading_lines=above), *rest, flag.with_changes(leading_lines=own)]

    rewriting = Rewriting(store.tree)
    rewriting.splice(store.block, store.place, store.place + 1 + len(between), build)
    raising = store.program.flows.raising
    loud = next((call for call in store.calls(between) if raising.call(call, store.function)), None)
    doubt = f"where `{store.spelled(loud)}()` raises, `{store.name}` is not set" if loud is not None else ""
    said = f"Set `{store.name}` when what it stands for is there"
    return Proposal(rewriting.code(), said, "unsafe" if doubt else "safe", doubt)


def _is_method_of_owner(store: _Store, call: Call) -> bool:
    """Whether it is a method of the object that has the flag, which may rely on it."""
    owner = store.tree.spelled(store.target.value)
    things = store.program.types.of_value(call.func, store.function)
    return store.spelled(call).startswith(f"{owner}.") and any(isinstance(thing, Bound) for thing in things)


def _stores_beside(store: _Store, entry: Statement) -> bool:
    """Whether a line stores an attribute of the same object."""
    small = alone(entry)
    target = small.targets[0].target if isinstance(small, cst.Assign) else None
    return isinstance(target, cst.Attribute) and store.tree.spelled(target.value) == store.tree.spelled(
        store.target.value
    )
