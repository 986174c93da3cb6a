"""What the program's own decorators put in place of a function."""

from __future__ import annotations

from racelint.program.index import FunctionInfo
from racelint.program.things import Bound, Thing
from racelint.program.types import Types


def wrappers(function: FunctionInfo, types: Types) -> list[FunctionInfo]:
    """The functions that its decorators return: those that its callers, and threads that it is given to, really run."""
    found: list[FunctionInfo] = []
    for decorator in function.ir.decorators:
        made: tuple[Thing, ...] = types.of_value(decorator.value, function)
        for _ in range(1 + decorator.called):
            made = tuple(t for d in made if isinstance(d, Bound) for t in types.returned(d.function))
        found += [t.function for t in made if isinstance(t, Bound) and t.function is not function]
    return list(dict.fromkeys(found))
