"""What `os.register_at_fork` is given for the child, which has one thread."""

from __future__ import annotations

from racelint.program.index import Index
from racelint.program.things import Bound
from racelint.program.types import Types
from racelint.program.values import Stores


def run_in_children(index: Index, stores: Stores, types: Types) -> frozenset[str]:
    """The ids of these functions."""
    return frozenset(
        thing.function.id
        for function in index.functions
        for call in stores.facts[function.id].calls
        if any(path[-1].endswith("register_at_fork") for path in call.func)
        for argument in call.args
        if argument.name == "after_in_child"
        for thing in types.of_value(argument.value, function)
        if isinstance(thing, Bound)
    )
