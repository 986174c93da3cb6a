"""What the annotation of a container says of its elements: `list[Job]`, `dict[str, Job]`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from racelint.model.summary import ELEMENT, Path, Value
from racelint.program.names.index import FunctionInfo, ModuleInfo, Variable
from racelint.program.objects.things import Bound, Instance, Thing

if TYPE_CHECKING:
    from racelint.program.objects.types import Types


def annotated_elements(types: Types, path: Path, function: FunctionInfo) -> Iterator[Thing]:
    """What an element of the container at the path is said to be."""
    depth, base = 1, path
    while base[-1] == ELEMENT:
        depth, base = depth + 1, base[:-1]
    inside = (ELEMENT,) * depth
    for hint, module in _annotations(types, base, function):
        for named in hint:
            if named[-depth:] == inside and named[-depth - 1] != ELEMENT:
                yield from types.hinted((named[:-depth],), module)


def _annotations(types: Types, path: Path, function: FunctionInfo) -> Iterator[tuple[Value, ModuleInfo]]:
    """The annotations of what is at the path, each with the module that its names are of."""
    if len(path) > 1:
        for thing in types.of(path[:-1], function):
            if type(thing) is Instance:
                yield from _of_attribute(types, thing, path[-1])
        return
    kind, _, name = path[0].partition(":")
    if kind in ("p", "l"):
        yield from _of_local(name, function)
    elif kind == "f":
        qualname, _, name = name.partition(":")
        owner = function.module.functions.get(qualname)
        if owner is not None:
            yield from _of_local(name, owner)
    elif kind == "g":
        entity = types.index.entity_of(function.module, path)
        if type(entity) is Variable:
            yield entity.module.functions["<module>"].ir.hints.get(entity.name, ()), entity.module
    elif kind == "c":
        call = types.stores.facts[function.id].made_by(path)
        for thing in types.of_value(call.func, function) if call is not None else ():
            if type(thing) is Bound:
                yield thing.function.ir.returns, thing.function.module


def _of_local(name: str, function: FunctionInfo) -> Iterator[tuple[Value, ModuleInfo]]:
    yield function.ir.hints.get(name, ()), function.module
    for param in function.ir.params:
        if param.name == name:
            yield param.annotation, function.module


def _of_attribute(types: Types, thing: Instance, name: str) -> Iterator[tuple[Value, ModuleInfo]]:
    method = thing.cls.method(name)
    if method is not None and method.is_property:
        yield method.ir.returns, method.module
    for owner in types.families.bearers(thing.cls, name):
        yield owner.ir.hints.get(name, ()), owner.module
        for maker in types.families.constructors_of(owner):
            yield maker.ir.hints.get(f"{maker.self_name}.{name}", ()), owner.module
