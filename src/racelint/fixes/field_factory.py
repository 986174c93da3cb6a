"""A lock that a dataclass makes for each object: `field(default_factory=Lock)`."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.imports import imported
from racelint.fixes.statements import alone
from racelint.program.objects.locations import Location
from racelint.syntax.edits import Rewriting, Tree
from racelint.syntax.nodes import nodes_within


def lock_factory(tree: Tree, location: Location) -> cst.Arg | None:
    """The `default_factory=Lock` of the field, where the file has just one such field of such a class."""
    if location.kind != "attribute" or len(location.fields) != 1:
        return None
    found = [arg for field in _fields(tree, location) for arg in field.args if _gives_lock(arg)]
    return found[0] if len(found) == 1 else None


def _fields(tree: Tree, location: Location) -> Iterator[cst.Call]:
    """What the field is made by in every class of the owner's name."""
    owner = location.owner.rpartition(":")[2].rpartition(".")[2]
    for cls in nodes_within(tree.module):
        if isinstance(cls, cst.ClassDef) and cls.name.value == owner:
            for entry in cls.body.body:
                small = alone(entry)
                target = small.target if isinstance(small, cst.AnnAssign) else None
                named = isinstance(target, cst.Name) and target.value == location.fields[0]
                if named and isinstance(small, cst.AnnAssign) and isinstance(small.value, cst.Call):
                    yield small.value


def _gives_lock(arg: cst.Arg) -> bool:
    name = arg.value.attr if isinstance(arg.value, cst.Attribute) else arg.value
    given = arg.keyword is not None and arg.keyword.value == "default_factory"
    return given and isinstance(name, cst.Name) and name.value == "Lock"


def make_factory_reentrant(rewriting: Rewriting, factory: cst.Arg) -> None:
    """`RLock` there, and in the annotation where that says the same."""
    tree, value = rewriting.tree, factory.value
    if isinstance(value, cst.Attribute):
        name: cst.BaseExpression = value.with_changes(attr=cst.Name("RLock"))
    else:
        name = cst.parse_expression(imported(rewriting, "threading", "RLock", value, by_name=True))
    field = next(outer for outer in tree.ancestors(factory) if isinstance(outer, cst.AnnAssign))
    for place in (value, field.annotation.annotation):
        if tree.spelled(place) == tree.spelled(value):
            rewriting.replace(place, lambda updated: name)
