"""What the program's own decorators put in place of a function, and what that is given of the function's object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from racelint.program.names.index import FunctionInfo, Index
from racelint.program.objects.things import Bound, Thing

if TYPE_CHECKING:
    from racelint.program.calling.calls import CallSite
    from racelint.program.objects.types import Types


def wrappers(function: FunctionInfo, types: Types) -> list[FunctionInfo]:
    """The functions that its decorators return: those that its callers, and threads that it is given to, really run."""
    found: list[FunctionInfo] = []
    for decorator in function.ir.decorators:
        made: tuple[Thing, ...] = types.of_value(decorator.value, function)
        for _ in range(1 + decorator.called):
            made = tuple(t for d in made if type(d) is Bound for t in types.returned(d.function))
        found += [t.function for t in made if type(t) is Bound and t.function is not function]
    return list(dict.fromkeys(found))


def owner_parameter(wrapper: FunctionInfo) -> str:
    """The parameter in which a wrapper gets the object whose method it stands for; empty where it names none."""
    if wrapper.cls is not None or not wrapper.ir.parent or not wrapper.ir.params:
        return ""
    first = wrapper.ir.params[0]
    return first.name if first.kind in ("plain", "positional") else ""


class Decorated:
    """The functions that the program's own decorators wrap, and the wrappers that stand for them."""

    def __init__(self, index: Index, types: Types) -> None:
        self.functions: dict[str, list[FunctionInfo]] = {}
        """By the id of the wrapper that their callers run."""
        self.wrappers: dict[str, list[FunctionInfo]] = {}
        """By the id of the function."""
        for function in index.functions:
            for wrapper in wrappers(function, types) if function.ir.decorators else ():
                if owner_parameter(wrapper):
                    self.functions.setdefault(wrapper.id, []).append(function)
                    self.wrappers.setdefault(function.id, []).append(wrapper)

    def owners(self) -> Iterator[tuple[FunctionInfo, FunctionInfo]]:
        """Wrappers of methods of one family alone, each with a method whose object is what its first parameter is."""
        for methods in self.functions.values():
            classes = [method.cls for method in methods if method.cls is not None and method.self_name]
            base = next((method for method in methods if all(method.cls in cls.mro for cls in classes)), None)
            if base is not None and len(classes) == len(methods):
                for wrapper in self.wrappers[base.id]:
                    if methods is self.functions[wrapper.id]:
                        yield wrapper, base

    def through(self, site: CallSite) -> Iterator[CallSite]:
        """The wrappers that a call runs before the function itself, with the object that they are given."""
        for wrapper in self.wrappers.get(site.callee.id, ()):
            bindings = {owner_parameter(wrapper): (site.receiver,)} if site.receiver is not None else {}
            yield replace(site, callee=wrapper, receiver=None, bindings=bindings)
