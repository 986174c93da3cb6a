"""Double-checked locking: decisions outside of a lock that are taken again under it before they are acted on."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.sharing.compounds import Compound


def double_checks(program: Program, function: FunctionInfo) -> Iterator[Compound]:
    """The outer checks with the first write of each location, in the order of the writes."""
    flow = program.flows.of(function)
    seen: set[Location] = set()
    compounds = program.compounds.of(function) if flow.before else ()
    for compound in sorted(compounds, key=lambda compound: (compound.act.event, compound.begins)):
        act = compound.act
        held = {(hold.lock.location, hold.region) for hold in flow.at(act.event).must}
        if act.deed != "write" or not held or act.location in seen or _takes_a_name(compound):
            continue
        checks = {other.begins for other in compounds if other.act.event == act.event}
        outside = {event for event in checks if not held & {(h.lock.location, h.region) for h in flow.at(event).must}}
        if compound.begins in outside and outside != checks:
            seen.add(act.location)
            yield compound


def _takes_a_name(compound: Compound) -> bool:
    """`c = self.cookies` before `if key not in c: c[key] = …` decides nothing."""
    return compound.act.location.content and not compound.first.location.content and compound.test == "in"
