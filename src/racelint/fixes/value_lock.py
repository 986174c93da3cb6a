"""RL602: updates of a shared value are made under the value's own lock."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.base import Attempt, Fixer, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.places import span_of
from racelint.fixes.sites import no_block_around
from racelint.fixes.stretch import Stretch, covering, outermost
from racelint.model.finding import Finding
from racelint.model.summary import Access, Branch, Call, Path, Span
from racelint.program import Program
from racelint.program.flow.values import FunctionFacts
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.processes import Origin
from racelint.program.objects.things import Object
from racelint.program.process_use.shared_values import SharedValues, Update
from racelint.syntax.edits import Rewriting

_LOCKED = frozenset(
    {
        "multiprocessing.Value",
        "multiprocessing.Array",
        "multiprocessing.sharedctypes.Synchronized",
        "multiprocessing.sharedctypes.SynchronizedArray",
    }
)


class ValueLock(Fixer):
    """`value.value += 1` goes under `with value.get_lock():`, wherever the file does it to the same value.

    Safe: the lock of a `Value` or `Array` is reentrant, and the update takes it anyway, twice.
    Not offered where another file updates the value too, or where the value was made with a lock of its own choice.
    What has no lock of its own, as a `RawValue`, a manager's dict or shared memory, needs a `Lock` beside it that each
    process is given, too.
    """

    codes = ("RL602",)
    locks = True

    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        updates = _updates(draft.program, finding)
        if away := {update.function.module.source.display for update in updates} - {finding.path}:
            yield Obstacle(f"the value is updated in {min(away)}, too")
            return
        if not updates or not all(_has_lock(draft.program, update) for update in updates):
            yield Obstacle("what is shared has no lock of its own, and which other one is meant the code does not say")
            return
        if any(_chooses_lock(draft.program, update) for update in updates):
            yield Obstacle("the value may be made with a lock of its own choice, or with none")
            return
        tree = draft.tree(finding.path)
        stretches: dict[str, list[Stretch]] = {}
        for update in updates:
            target = tree.expression_at(update.access.span)
            stretch = covering(tree, _steps(draft.program, update))
            if stretch is None or not isinstance(target, (cst.Attribute, cst.Subscript)):
                yield Obstacle(no_block_around(update.function))
                return
            stretches.setdefault(tree.spelled(target.value), []).append(stretch)
        rewriting = Rewriting(tree)
        claims: frozenset[str] = frozenset()
        for name, found in stretches.items():
            header = f"{name}.get_lock()"
            for stretch in outermost(tree, [s.with_neighbours(tree, header) for s in found], touching=True):
                stretch.wrap(rewriting, header)
                claims |= stretch.claims(tree)
        names = " and ".join(f"`{name}.get_lock()`" for name in sorted(stretches))
        yield Proposal(rewriting.code(), f"Hold {names} from the read to the write", claims=claims)


def _steps(program: Program, update: Update) -> Iterator[Span]:
    """Where the value is read, tested and written."""
    facts = program.stores.facts[update.function.id]
    yield update.access.span
    tests = [node for node in enclosing(place_of(update.function, update.access.id)) if isinstance(node, Branch)]
    for dep in (*update.access.deps, *(dep for test in tests for dep in test.deps)):
        event = facts.events.get(dep)
        if isinstance(event, Access) and event.path == update.access.path:
            yield event.span


def _has_lock(program: Program, update: Update) -> bool:
    """A `Value` or `Array`, not a raw one or a manager's: those have no lock."""
    base = update.access.path[:-1]
    things = [t.dotted for t in program.types.of(base, update.function) if isinstance(t, Object)]
    return bool(things) and all(dotted in _LOCKED for dotted in things)


def _updates(program: Program, finding: Finding) -> list[Update]:
    """All updates of the value that the finding speaks of, one per statement."""
    for updates in SharedValues(program).raced():
        here = [
            update
            for update in updates
            if update.function.module.source.display == finding.path and update.access.span == span_of(finding)
        ]
        if here:
            return list({(u.function.id, u.access.span): u for u in updates}.values())
    return []


def _chooses_lock(program: Program, update: Update) -> bool:
    """Whether the value may have been made with `lock=…`: such a lock may not be reentrant, or there may be none."""
    origins = SharedValues(program).origins
    base = update.access.path[:-1]
    found: frozenset[Origin] = frozenset(
        origin for child in update.children for origin in origins.of(base, update.function, child)
    )
    found = found or origins.of(base, update.function)
    made = [call for origin in sorted(found) for call in _makers(program, origin)]
    if not made:
        made = [call for facts in program.stores.facts.values() for call in facts.calls]
    return any(
        argument.name == "lock" and argument.value != (("k:True",),)
        for call in made
        if call.func and call.func[0][-1].rpartition(":")[2] in ("Value", "Array")
        for argument in call.args
    )


def _makers(program: Program, origin: Origin) -> Iterator[Call]:
    """The calls that made what an origin stands for: a local of a function, or what is stored at a location."""
    stores = program.stores
    entries: list[tuple[FunctionFacts, Path]] = []
    if origin[0] in stores.facts and len(origin) == 2:
        entries = [(stores.facts[origin[0]], (origin[1],))]
    elif len(origin) == 3:
        table = stores.attributes if origin[0] == "attribute" else stores.variables
        for stored in table.get((origin[1], origin[2]), []):
            entries += [(stores.facts[stored.function.id], path) for path in stored.value]
    for facts, path in entries:
        call = facts.call(int(path[0][2:])) if len(path) == 1 and path[0].startswith("c:") else None
        if call is not None:
            yield call
