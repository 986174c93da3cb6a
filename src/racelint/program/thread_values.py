"""Values that belong to the thread that asks for them, as what a `threading.local` holds."""

from __future__ import annotations

from racelint.model.summary import Path, Value
from racelint.program.index import External, FunctionInfo
from racelint.program.things import Object
from racelint.program.types import Types

_LOCAL = Object("threading.local")
_ASKING = External("builtins.getattr")


class ThreadValues:
    """Tells them from values that are the same for all threads."""

    def __init__(self, types: Types) -> None:
        self.types = types

    def among(self, value: Value, function: FunctionInfo) -> bool:
        """Whether a value is taken from a thread-local: `local.name`, `getattr(local, "name", None)`."""
        return any(self._is_local(base, function) for path in value for base in self._bases(path, function))

    def _bases(self, path: Path, function: FunctionInfo) -> Value:
        if len(path) > 1:
            return (path[:-1],)
        call = self.types.stores.facts[function.id].made_by(path)
        if call is None or not call.args or _ASKING not in self.types.of_value(call.func, function):
            return ()
        return call.args[0].value

    def _is_local(self, path: Path, function: FunctionInfo) -> bool:
        return _LOCAL in self.types.of(path, function)
