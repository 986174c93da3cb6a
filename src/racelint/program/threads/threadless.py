"""Code that runs only where a thread was not started: `if self._thread is None: self.step()`."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import AnyNode, Branch
from racelint.program.flow.values import Stores, nodes_of
from racelint.program.flow.walk import contains
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.locations import Location, Locations
from racelint.program.sharing.accesses import SharedAccesses
from racelint.program.threads.context import Context


class Threadless:
    """Answers for a root whose thread object is kept in a variable."""

    def __init__(self, stores: Stores, locations: Locations, shared: SharedAccesses) -> None:
        self.stores = stores
        self.locations = locations
        self.shared = shared

    def excludes(self, root: ThreadRoot, context: Context, event: int) -> bool:
        """Whether a caller on the way to the event has seen that the variable which keeps the thread is None."""
        keepers = self._keepers(root)
        return bool(keepers) and any(
            contains(node, at)
            for function, at in context.outwards(event)
            for arm in self._arms_without(keepers, function)
            for node in arm
        )

    def _keepers(self, root: ThreadRoot) -> set[Location | None]:
        """The variables in which the function that makes the thread stores it."""
        maker, site = root.site_function, root.site
        if maker is None or site is None:
            return set()
        writes = (a for a in self.stores.facts[maker.id].accesses if a.kind == "write" and (f"c:{site.id}",) in a.value)
        return {self.locations.of(access.path, maker) for access in writes} - {None}

    def _arms_without(self, keepers: set[Location | None], function: FunctionInfo) -> Iterator[tuple[AnyNode, ...]]:
        """The code that runs only where one of the variables is None."""
        reads = {access.event for access in self.shared.of(function) if access.location in keepers}
        branches = [node for node in nodes_of(function.ir.body) if isinstance(node, Branch)] if reads else []
        for branch in branches:
            if branch.test == "none" and reads.intersection(branch.deps):
                arm = branch.then if branch.negated else branch.orelse
                yield arm
                yield from (other.then for other in branches if arm and _is_both(other, branch, arm))


def _is_both(other: Branch, first: Branch, second: tuple[AnyNode, ...]) -> bool:
    """`if first and second:`."""
    both = other.test == "other" and not other.negated and set(first.deps) <= set(other.deps)
    return both and other is not first and any(contains(node, dep) for node in second for dep in other.deps)
