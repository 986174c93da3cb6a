"""What `os.register_at_fork` is given for the child, which has one thread."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import Value
from racelint.program.index import FunctionInfo, Index
from racelint.program.things import Bound
from racelint.program.types import Types
from racelint.program.values import Stores


def run_in_children(index: Index, stores: Stores, types: Types) -> frozenset[str]:
    """The ids of these functions, and of the methods that they hold weakly."""
    handlers = [
        target
        for function in index.functions
        for call in stores.facts[function.id].calls
        if any(path[-1].endswith("register_at_fork") for path in call.func)
        for argument in call.args
        if argument.name == "after_in_child"
        for target in _functions(argument.value, function, types)
    ]
    held = (method for handler in handlers for method in _held_weakly(handler, stores, types))
    return frozenset(function.id for function in (*handlers, *held))


def _functions(value: Value, function: FunctionInfo, types: Types) -> Iterator[FunctionInfo]:
    return (thing.function for thing in types.of_value(value, function) if isinstance(thing, Bound))


def _held_weakly(handler: FunctionInfo, stores: Stores, types: Types) -> Iterator[FunctionInfo]:
    """`reset = WeakMethod(self._reset)` around the handler, which calls what `reset()` gives."""
    for access in stores.facts[handler.id].accesses:
        kind, _, rest = access.path[0].partition(":")
        owner, _, name = rest.rpartition(":")
        for stored in stores.captured.get((handler.module.name, owner, name), []) if kind == "f" else ():
            for path in stored.value:
                made = stores.facts[stored.function.id].made_by(path)
                for argument in made.args if made is not None else ():
                    yield from _functions(argument.value, stored.function, types)
