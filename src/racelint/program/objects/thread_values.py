"""Values that belong to the thread that asks for them, as what a `threading.local` holds."""

from __future__ import annotations

from racelint.model.summary import Call, Path, Value
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.objects.callees import Callees
from racelint.program.objects.families import descendants
from racelint.program.objects.things import Instance, Object, Thing
from racelint.program.objects.types import Types

_LOCAL = "threading.local"
_ASKING = External("builtins.getattr")


def is_thread_local(thing: Thing) -> bool:
    """Whether it is a thread-local, or a class of such."""
    if type(thing) is Object:
        return thing.dotted == _LOCAL
    cls = thing.cls if type(thing) is Instance else thing
    return type(cls) is ClassInfo and _LOCAL in cls.all_external_bases()


class ThreadValues:
    """Tells them from values that are the same for all threads."""

    def __init__(self, types: Types, callees: Callees) -> None:
        self.types = types
        self.callees = callees
        self._kept: dict[str, bool] = {}

    def among(self, value: Value, function: FunctionInfo) -> bool:
        """Whether a value is taken from a thread-local: `local.name`, `getattr(local, "name", None)`."""
        return any(self._is_local(base, function) for path in value for base in self._bases(path, function))

    def keep_all(self, cls: ClassInfo) -> bool:
        """Whether every object of the class that is made goes into a thread-local, and nowhere else."""
        if cls.id not in self._kept:
            made = [site for each in (cls, *descendants(cls)) for site in self.callees.makings.get(each.id, ())]
            self._kept[cls.id] = bool(made) and all(self._is_kept(function, call) for function, call in made)
        return self._kept[cls.id]

    def _is_kept(self, function: FunctionInfo, call: Call) -> bool:
        """`local.name = Session()`."""
        facts, made = self.types.stores.facts[function.id], (f"c:{call.id}",)
        if any(made in argument.value for other in facts.calls for argument in other.args):
            return False
        places = [access.path for access in facts.accesses if access.kind == "write" and made in access.value]
        return bool(places) and all(len(path) > 1 and self._is_local(path[:-1], function) for path in places)

    def _bases(self, path: Path, function: FunctionInfo) -> Value:
        if len(path) > 1:
            return (path[:-1],)
        call = self.types.stores.facts[function.id].made_by(path)
        if call is None or not call.args or _ASKING not in self.types.of_value(call.func, function):
            return ()
        return call.args[0].value

    def _is_local(self, path: Path, function: FunctionInfo) -> bool:
        return any(map(is_thread_local, self.types.of(path, function)))
