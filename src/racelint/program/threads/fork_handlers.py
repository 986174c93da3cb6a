"""What runs in a forked child, which has one thread: what `os.register_at_fork` is given, or says so by its name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from racelint.model.summary import Value
from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo, Index
from racelint.program.objects.things import Bound
from racelint.program.objects.types import Types

_AFTER_FORK = re.compile("after_fork|afterfork|at_fork_reinit|after_in_child")
"""How those are called who run there: `logging.Handler._at_fork_reinit`, `_reset_after_fork`."""

_ELSEWHERE = ("parent", "regist", "ensure", "install", "schedule", "set_", "add_", "is_", "has_", "test_")
"""Words of names that speak of the parent, or of who sees to it that something runs there."""


def run_in_children(index: Index, stores: Stores, types: Types) -> frozenset[str]:
    """The ids of what is registered for the child, and of the methods that it holds weakly."""
    handlers = _registered("after_in_child", index, stores, types)
    held = (method for handler in handlers for method in _held_weakly(handler, stores, types))
    return frozenset(function.id for function in (*handlers, *held))


def named_for_children(index: Index, stores: Stores, types: Types) -> frozenset[str]:
    """The ids of those whose name says that they run after a fork, but for what the parent runs then."""
    in_parent = {function.id for function in _registered("after_in_parent", index, stores, types)}
    named = (function for function in index.functions if _is_named_so(function.ir.name.lower()))
    return frozenset(function.id for function in named if function.id not in in_parent)


def _is_named_so(name: str) -> bool:
    return _AFTER_FORK.search(name) is not None and not any(word in name for word in _ELSEWHERE)


def _registered(slot: str, index: Index, stores: Stores, types: Types) -> list[FunctionInfo]:
    return [
        target
        for function in index.functions
        for call in stores.facts[function.id].calls
        for argument in call.args
        if argument.name == slot and any(path[-1].endswith("register_at_fork") for path in call.func)
        for target in _functions(argument.value, function, types)
    ]


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
