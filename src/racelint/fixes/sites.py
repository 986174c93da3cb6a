"""What must not be interrupted, in the source: the stretches of statements to put under a lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import libcst as cst

from racelint.fixes.draft import Draft
from racelint.fixes.places import named
from racelint.fixes.stretch import Stretch, covering
from racelint.model.summary import Path, Span
from racelint.program import Program
from racelint.program.flow.values import event_span
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import ITSELF, Location
from racelint.program.parallel.records import Record
from racelint.program.races.lazy_starts import LazyStart
from racelint.program.races.suspects import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess
from racelint.syntax.edits import Tree


class Site(NamedTuple):
    """A stretch of a function, what in it is to be one step, and the path there of the object whose state it touches
    (empty for variables)."""

    function: FunctionInfo
    stretch: Stretch
    base: Path
    spans: tuple[Span, ...]


class NotCovered(Exception):
    """Some of it stands where no `with` statement can be put around it, or in another file: the text says what."""


def no_block_around(function: FunctionInfo) -> str:
    """Why a stretch of a function cannot go under a lock: no block holds all of it as whole statements."""
    return f"no `with` block can be put around the steps in {named(function)}"


def own_sites(draft: Draft, suspect: Suspect) -> list[Site]:
    """What the suspect's own function does to the variable without `suspect.guard`. Raises NotCovered.

    A helper that some callers run with the guard held is left alone: its other callers are to hold it, too.
    """
    if suspect.compound is not None and suspect.compound.inner is not None:
        return [_of_compound(draft, suspect.compound)]
    function = suspect.record.access.function
    mine = [record for record in suspect.group.records if record.access.function is function]
    if any(suspect.guard in {lock.location for lock in record.context.held} for record in mine):
        bare = [record for record in mine if suspect.guard not in record.locations_held]
        return list({site.stretch: site for record in bare for site in [_at_caller(draft, record)]}.values())
    return sites_within(draft, suspect)


def sites_within(draft: Draft, suspect: Suspect) -> list[Site]:
    """The same, whoever calls the function: some may hold the guard already. Raises NotCovered."""
    return [*_all_in(draft, suspect, suspect.record.access.function, suspect.guard), _site_of(draft, suspect)]


def _at_caller(draft: Draft, record: Record) -> Site:
    """The call by which a context comes to the record's function."""
    parent = record.context.parent
    function = record.access.function
    if parent is None:
        raise NotCovered(
            f"{named(function)} runs with the lock held, and without where nothing in the program calls it"
        )
    calls = draft.program.calls.outgoing[parent.function.id]
    site = next((s for s in calls if s.event == record.context.site and s.callee is function), None)
    own = base_of(record.access)
    if site is None or site.receiver is None or own != (f"p:{function.self_name}",):
        raise NotCovered(
            f"{named(function)} runs with the lock held, and {named(parent.function)} cannot name that one"
        )
    span = event_span(parent.function, record.context.site)
    stretch = covering(draft.tree(parent.function.module.source.display), [span])
    if stretch is None:
        raise NotCovered(no_block_around(parent.function))
    return Site(parent.function, stretch, site.receiver, (span,))


def all_sites(draft: Draft, suspect: Suspect, lock: Location | None) -> list[Site]:
    """All that any function does to the variable in several steps, or changes, without `lock` (None: a new one, which
    is of no use as long as others change it without, also those that nobody is seen to call). Raises NotCovered."""
    functions = {record.access.function.id: record.access.function for record in suspect.group.records}
    if lock is None:
        functions |= {access.function.id: access.function for access in _by_strangers(draft.program, suspect)}
    found = [] if _is_locked(draft.program, suspect, lock) else [_site_of(draft, suspect)]
    for function in sorted(functions.values(), key=lambda function: function.order):
        found += _all_in(draft, suspect, function, lock)
    return found


def _is_locked(program: Program, suspect: Suspect, lock: Location | None) -> bool:
    """Whether the suspect holds the lock from its first step to its last: then only the others lack it."""
    if suspect.compound is not None:
        return suspect.compound.inner is None and _is_whole(program, suspect.compound, lock)
    return False


def _site_of(draft: Draft, suspect: Suspect) -> Site:
    if suspect.compound is not None:
        return _of_several(draft, suspect, suspect.compound)
    access = suspect.record.access
    return _site(draft, access.function, access, [access.span])


def _of_several(draft: Draft, suspect: Suspect, compound: Compound) -> Site:
    """The steps of a compound, with the `return` of what it found or made where others take that away again.

    What is tested and then read may be read more than once.
    """
    site = _of_compound(draft, compound)
    if compound.kind == "check-then-use":
        return _with_uses(draft, site, compound)
    return _with_return(draft, site) if compound.kind == "lazy-init" and _is_reset(suspect) else site


def _with_uses(draft: Draft, site: Site, compound: Compound) -> Site:
    """With all that reads the variable after the test in the same statement, and in those right behind it."""
    tree = draft.tree(site.function.module.source.display)
    block, start, stop = site.stretch
    container = compound.act.location.container()
    here = [a.span for a in draft.program.shared.of(site.function) if a.location.container() == container]
    while stop < len(block.body) and _reaches_into(tree, Stretch(block, stop, stop + 1), here):
        stop += 1
    whole = Stretch(block, start, stop)
    later = [span for span in here if span > compound.act.span and _reaches_into(tree, whole, [span])]
    return site._replace(stretch=whole, spans=(*site.spans, *later))


def _reaches_into(tree: Tree, stretch: Stretch, spans: Iterable[Span]) -> bool:
    first, last = stretch.lines(tree)
    return any(first <= span[0] <= last for span in spans)


def _is_reset(suspect: Suspect) -> bool:
    """Whether another function takes away what was initialised."""
    changing = {record.access.function for record in suspect.group.changes}
    return any(function is not suspect.record.access.function and not makes_self(function) for function in changing)


def _with_return(draft: Draft, site: Site) -> Site:
    """With the `return` behind it, which is to give back what was found or made, not what came after."""
    stretch = site.stretch
    following = stretch.block.body[stretch.stop] if stretch.stop < len(stretch.block.body) else None
    small = following.body[0] if isinstance(following, cst.SimpleStatementLine) else None
    given = small.value if isinstance(small, cst.Return) else None
    tree = draft.tree(site.function.module.source.display)
    if not isinstance(given, (cst.Name, cst.Attribute)):
        return site
    return site._replace(stretch=stretch._replace(stop=stretch.stop + 1), spans=(*site.spans, tree.span(given)))


def _all_in(draft: Draft, suspect: Suspect, function: FunctionInfo, lock: Location | None) -> Iterator[Site]:
    changes = [access for access in _unlocked(draft.program, suspect, function, lock) if access.changes]
    events = {access.event for access in changes}
    for compound in draft.program.compounds.of(function):
        mine = compound.act.location.container() == suspect.group.location
        if mine and compound.act.event in events and not _is_whole(draft.program, compound, lock):
            yield _of_several(draft, suspect, compound)
    for access in changes:
        yield _site(draft, function, access, [access.span])


def _unlocked(program: Program, suspect: Suspect, function: FunctionInfo, lock: Location | None) -> list[SharedAccess]:
    """The accesses of the variable in one function that some context reaches without the lock while others change it.

    What is done before the threads start, or after they have ended, needs none.
    """
    found: dict[int, SharedAccess] = {}
    group, overlap = suspect.group, program.suspects.races.overlap
    for record in group.records:
        if record.access.function is not function or (lock is not None and lock in record.locations_held):
            continue
        if any(overlap.parallel(record, other, group) for other in group.changes):
            found[record.access.event] = record.access
    if lock is None:
        found |= {a.event: a for a in _by_strangers(program, suspect) if a.function is function}
    return list(found.values())


def _by_strangers(program: Program, suspect: Suspect) -> list[SharedAccess]:
    """The changes of the variable in functions that are not for users and no caller is known of: others call them back,
    from a thread that nobody knows."""

    def is_called_back(function: FunctionInfo) -> bool:
        contexts = () if makes_self(function) or function.ir.kind in ("module", "class") else program.reach.of(function)
        return bool(contexts) and all(c.root is None and c.parent is None and not c.public for c in contexts)

    accesses = program.shared.within(suspect.group.location)
    return [access for access in accesses if access.changes and is_called_back(access.function)]


def _is_whole(program: Program, compound: Compound, lock: Location | None) -> bool:
    """Whether the lock is held from the check to the act already."""
    flow = program.flows.of(compound.function)
    first, last = flow.at(compound.since), flow.at(compound.act.event)
    mine = first.hold(lock) if lock is not None else None
    return mine is not None and mine == last.hold(lock)  # type: ignore[arg-type]


def _of_compound(draft: Draft, compound: Compound) -> Site:
    spans = [compound.act.span, event_span(compound.function, compound.since)]
    if compound.check_span != (1, 1, 1, 1):
        spans.append(compound.check_span)
    return _site(draft, compound.function, compound.act, spans)


def lazy_site(draft: Draft, lazy: LazyStart) -> Site:
    """From the check to what it decides, and to what is stored where it looked. Raises NotCovered."""
    function, program = lazy.function, draft.program
    accesses = program.stores.facts[function.id].accesses
    stored = [
        access.span
        for access in accesses
        if access.kind == "write" and program.locations.of(access.path, function) == lazy.location
    ]
    later = [span for span in stored if span > lazy.check.span]
    spans = (lazy.check.span, event_span(function, lazy.made_at), *later)
    tree = draft.tree(function.module.source.display)
    stretch = covering(tree, spans)
    if stretch is None:
        raise NotCovered(no_block_around(function))
    if not later:  # what is started stores it: until then others find nothing there
        last = stretch.lines(tree)[1]
        spans = (*spans, (last, 1, last, 1))
    return Site(function, stretch, lazy.check.path[: -len(lazy.location.fields)], spans)


def _site(draft: Draft, function: FunctionInfo, access: SharedAccess, spans: Iterable[Span]) -> Site:
    spans = tuple(spans)
    stretch = covering(draft.tree(function.module.source.display), spans)
    if stretch is None:
        raise NotCovered(no_block_around(function))
    return Site(function, stretch, base_of(access) if access.location.kind == "attribute" else (), spans)


def base_of(access: SharedAccess) -> Path:
    """The object whose state is touched: a container of a class of the program may be its own state."""
    fields = access.location.fields
    return access.path[: len(access.path) - len(fields) + (fields[0] == ITSELF)]
