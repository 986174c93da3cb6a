"""`functools.partial(function, …)`: the function inside, and what it is given there."""

from __future__ import annotations

from racelint.model.summary import Call, Path
from racelint.program.flow.values import Stores
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.types import Types


def partial_at(path: Path, function: FunctionInfo, stores: Stores, types: Types) -> Call | None:
    """The call of `functools.partial` that made the object at `path`; None where none did, or of no function."""
    call = stores.facts[function.id].made_by(path) if len(path) == 1 else None
    if call is None or not call.args or call.args[0].name:
        return None
    things = types.of_value(call.func, function)
    return call if any(isinstance(t, External) and t.dotted == "functools.partial" for t in things) else None
