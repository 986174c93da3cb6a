"""The part of the state that an outcome speaks of: what the set-up bound, and what the live modules hold."""

from __future__ import annotations

import types
from typing import Any

from .instrument import HELPERS, OPERATORS, TEMPORARIES
from .snapshot import CODE, Snapshot, Tree

HIDDEN = frozenset({*HELPERS, *OPERATORS, *TEMPORARIES})
Parts = list[tuple[str, Tree]]


class ModuleView:
    """One module's variables and its classes' attributes. What is code when it is first seen is left out."""

    def __init__(self, module: types.ModuleType) -> None:
        self.module = module
        members = vars(module)
        self._code = {name for name, value in members.items() if _is_code(name, value)}
        owned = [members[name] for name in sorted(self._code)]
        self._classes = [
            ClassView(value) for value in owned if isinstance(value, type) and value.__module__ == module.__name__
        ]

    def parts(self, snapshot: Snapshot) -> Parts:
        members = vars(self.module)
        found: Parts = []
        if len(members) > len(self._code):
            for name in sorted(members.keys() - self._code):
                if not _is_code(name, members[name]):
                    found.append((f"{self.module.__name__}.{name} =", snapshot.tree(members[name])))
        for view in self._classes:
            found.extend(view.parts(snapshot))
        return found


class ClassView:
    """One class's own attributes that are no code."""

    def __init__(self, owner: type) -> None:
        self._owner = owner
        self._code = {name for name, value in vars(owner).items() if name.startswith("__") or not _is_plain(value)}

    def parts(self, snapshot: Snapshot) -> Parts:
        members = vars(self._owner)
        if len(members) == len(self._code):
            return []
        names = [name for name in sorted(members.keys() - self._code) if not name.startswith("__")]
        held = [(name, members[name]) for name in names if _is_plain(members[name])]
        return [(f"{self._owner.__qualname__}.{name} =", snapshot.tree(value)) for name, value in held]


def variables_of(made: Any) -> dict[str, Any]:
    """The variables that a returned function shares with others, or the functions of a tuple: no other name has them.

    One that is not bound yet is left out.
    """
    functions = made if isinstance(made, tuple) else (made,)
    cells = {
        name: cell
        for function in functions
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    }
    return {name: cell.cell_contents for name, cell in cells.items() if cell != types.CellType()}


def bound_names(bound: list[tuple[str, Any]], snapshot: Snapshot) -> Parts:
    """What the set-up and the operations bound in their namespace, in that order."""
    return [
        (f"{name} =", snapshot.tree(value))
        for name, value in bound
        if not name.startswith("_") and name != "target" and not isinstance(value, (*CODE, type))
    ]


def _is_code(name: str, value: Any) -> bool:
    return name.startswith("__") or name in HIDDEN or isinstance(value, (*CODE, type))


def _is_plain(value: Any) -> bool:
    if isinstance(value, (*CODE, type)) or hasattr(type(value), "__get__"):
        return False
    return not isinstance(value, types.GenericAlias)
