"""Containers that a function makes, stores where others find them, and goes on to change by its own name for them."""

from __future__ import annotations

from functools import cached_property

from racelint.model.summary import Access, Call, Path
from racelint.program.flow.values import FunctionFacts
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.names.thread_root import loops_around


class Published:
    """Answers for one function: `rows = {}; self.rows = rows; rows[k] = v` changes `self.rows`."""

    def __init__(self, facts: FunctionFacts) -> None:
        self._facts = facts

    @cached_property
    def _stores(self) -> dict[str, list[Access]]:
        """By what is made: where it is stored for others to find."""
        found: dict[str, list[Access]] = {}
        for access in self._facts.accesses:
            made = access.value[0] if len(access.value) == 1 and access.kind == "write" else ()
            lasting = access.path[0].startswith("g:") or len(access.path) > 1
            if len(made) == 1 and made[0].startswith(("c:", "v:")) and lasting and not access.augmented:
                found.setdefault(made[0], []).append(access)
        return found

    def path_of(self, path: Path, event: Access | Call) -> Path:
        """Where others find what is at the path by the time of the event; the path itself where they do not."""
        stores = self._stores.get(path[0], ())
        if len(stores) != 1 or not self._may_come_after(event.id, stores[0]):
            return path
        return (*stores[0].path, *path[1:])

    def _may_come_after(self, event: int, store: Access) -> bool:
        """It stands behind the store in its block, or is come to again by a loop around both and not the making."""
        if event == store.id or not self._facts.function.ir.body:
            return False
        function, made = self._facts.function, store.value[0][0]
        if event > store.id:
            around, here = (enclosing(place_of(function, each)) for each in (store.id, event))
            return all(any(node is other for other in here) for node in around)
        if not made.startswith("c:"):
            return False
        loops = loops_around(function)
        shared = [loop for loop in loops.get(store.id, ()) if loop in loops.get(event, ())]
        return any(loop not in loops.get(int(made[2:]), ()) for loop in shared)
