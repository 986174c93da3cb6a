"""By which operations a scenario comes to a function, and what else runs on the same object."""

from __future__ import annotations

import ast

from racelint.confirm.combinations import callers_of, public_entries
from racelint.confirm.operations import Entry, makers_of
from racelint.confirm.outline import ClassOutline, FunctionOutline
from racelint.confirm.scenes import Stage

PAIRS_OF_ENTRIES = 3
"""Public ways into a private function that are tried for each access."""


def entries_of(stage: Stage, function: FunctionOutline) -> list[Entry]:
    """The ways in: the function itself where callers may call it, else the public methods that come to it."""
    outer = stage.module.outermost(function)
    cls = stage.module.classes.get(outer.owner)
    if stage.fixtures.caller(function.name):
        return [Entry(stage.module, function, stage.module.classes.get(function.owner))]
    if function.nested:
        if makers_of(stage.module, function):
            return [Entry(stage.module, function)]
        function = outer
    if cls is None:
        return [Entry(stage.module, function)]
    made = _made_by(stage, cls) if function.name == "__call__" else []
    if made:
        return made
    tasks = stage.on_a_loop or function.is_async
    public = {entry.function.name for entry in public_entries(stage.project, stage.module, cls, coroutines=tasks)}
    if function.name in public:
        return [Entry(stage.module, function, cls)]
    callers = callers_of(stage.footprints, cls, function)
    return [Entry(stage.module, caller, cls) for caller in callers] or [Entry(stage.module, function, cls)]


def _made_by(stage: Stage, metaclass: ClassOutline) -> list[Entry]:
    """To make objects of the classes whose metaclass it is, those of its own module first: what its `__call__` does."""
    found = []
    for module in (stage.module, *stage.project.mentioning(metaclass.name)):
        for cls in module.classes.values():
            used = [keyword.value for keyword in cls.node.keywords if keyword.arg == "metaclass"]
            if used and stage.project.find_class(module, ast.unparse(used[0])) == (stage.module, metaclass):
                constructor = stage.project.find_method(module, cls, "__init__")
                if constructor is not None and not cls.nested:
                    found.append(Entry(module, constructor, cls))
    return found[:PAIRS_OF_ENTRIES]


def neighbours(stage: Stage, function: FunctionOutline) -> list[Entry]:
    """What else is called on the same object, or the module's other functions."""
    cls = stage.module.classes.get(function.owner)
    if cls is not None:
        return public_entries(stage.project, stage.module, cls, coroutines=stage.on_a_loop)
    plain = [
        f for f in stage.module.functions.values() if not f.owner and not f.nested and f.is_async <= stage.on_a_loop
    ]
    return [Entry(stage.module, f) for f in plain]
