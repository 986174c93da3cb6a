"""Bound methods that are called by another name: `feed = Parser().feed`, `run(callback=self.done)`; whose they are."""

from __future__ import annotations

from racelint.model.summary import Path
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import Stored, Stores
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.anchors import Anchor
from racelint.program.objects.things import Bound
from racelint.program.sharing.ownership import Ownership


class MethodKeepers:
    """Answers for the calls of a program that have no receiver."""

    def __init__(self, stores: Stores, ownership: Ownership) -> None:
        self.stores = stores
        self.ownership = ownership

    def anchor(self, site: CallSite) -> Anchor | None:
        """The variable of a call that keeps the method, where it is one of an object that this call has for itself."""
        path = self._called(site)
        if not path.startswith("f:"):
            return None
        _, qualname, name = path.split(":", 2)
        module = site.caller.module.name
        entries = self.stores.captured.get((module, qualname, name), [])
        if entries and all(self._is_of_local(entry) for entry in entries):
            return (f"captured:{module}:{qualname}:{name}",)
        return None

    def parameter(self, site: CallSite) -> str:
        """The caller's parameter that holds the method; empty where it is none."""
        path = self._called(site)
        return path[2:] if path.startswith("p:") else ""

    def owner(self, path: Path, function: FunctionInfo) -> Path:
        """The object whose method is at the path; the path itself where it leads to no method."""
        things = self.ownership.types.of(path, function) if len(path) > 1 else ()
        methods = [thing for thing in things if type(thing) is Bound and thing.bound]
        named = bool(methods) and all(method.function.ir.name == path[-1] for method in methods)
        return path[:-1] if named and len(methods) == len(things) else path

    def _called(self, site: CallSite) -> str:
        """The name that is called, as a path has it; empty where it is no name."""
        call = self.stores.facts[site.caller.id].call(site.event)
        return call.func[0][0] if call is not None and len(call.func) == 1 and len(call.func[0]) == 1 else ""

    def _is_of_local(self, entry: Stored) -> bool:
        """A method of an object that the function makes and keeps to itself."""
        owners = [self.owner(path, entry.function) for path in entry.value]
        return bool(owners) and all(
            len(owner) == 1
            and owner != path
            and owner[0].startswith("c:")
            and self.ownership.stays_with(owner[0], entry.function)
            for owner, path in zip(owners, entry.value, strict=True)
        )
