"""Whether a class, and its instances, can have one more attribute."""

from __future__ import annotations

from collections.abc import Iterable

import libcst as cst

from racelint.fixes.slots import assigns_slots, slots_of
from racelint.model.summary import Path
from racelint.program import Program
from racelint.program.names.index import ClassInfo, External
from racelint.program.objects.families import descendants
from racelint.syntax.edits import Block, Tree

_OWN_ATTRIBUTES = frozenset({"enum", "msgspec", "pydantic", "pydantic_settings", "sqlmodel"})
"""Their classes make members or fields of what stands in the body, and their instances refuse the rest."""
_PLAIN_METACLASSES = frozenset({"abc.ABCMeta"})
_SLOTTING = frozenset(f"{package}.{name}" for package in ("attr", "attrs") for name in ("define", "frozen", "mutable"))


def class_is_open(program: Program, cls: ClassInfo) -> bool:
    """Whether a new attribute of the class is no more than that, and read without further ado."""
    if any(name.partition(".")[0] in _OWN_ATTRIBUTES for name in cls.all_external_bases()):
        return False
    metaclasses = {name for one in cls.mro for name in _meant(program, one, one.ir.metaclass)}
    return metaclasses <= _PLAIN_METACLASSES and not _defines(cls, "__getattribute__")


def instances_are_open(program: Program, tree: Tree, cls: ClassInfo, block: Block) -> bool:
    """Whether `self` takes a new attribute, at least if `__slots__` names it where they are written out."""
    if _defines(cls, "__setattr__") or (assigns_slots(block) and slots_of(block) is None):
        return False
    definition = tree.parent(block)
    decorators = definition.decorators if isinstance(definition, cst.ClassDef) else ()
    if any(_asks_for_slots(decorator.decorator) for decorator in decorators):
        return False
    return not any(_SLOTTING & set(_meant(program, cls, decorator.value)) for decorator in cls.ir.decorators)


def _defines(cls: ClassInfo, method: str) -> bool:
    return any(method in related.ir.methods for related in (*cls.mro, *descendants(cls)))


def _meant(program: Program, cls: ClassInfo, value: Iterable[Path]) -> Iterable[str]:
    """The dotted names of what a value at the head of the class denotes; empty where it is none from outside."""
    for path in value:
        entity = program.index.entity_of(cls.module, path)
        yield entity.dotted if isinstance(entity, External) else ""


def _asks_for_slots(decorator: cst.BaseExpression) -> bool:
    """`@dataclass(slots=True)`."""
    args = decorator.args if isinstance(decorator, cst.Call) else ()
    named = (arg.value for arg in args if arg.keyword is not None and arg.keyword.value == "slots")
    return any(not (isinstance(value, cst.Name) and value.value == "False") for value in named)
