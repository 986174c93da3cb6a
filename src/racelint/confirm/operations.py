"""One operation of a scenario: the statement that calls a function or method, with the arguments it needs."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from racelint.confirm.builder import Arguments, Builder
from racelint.confirm.errors import CannotBuild
from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, own_nodes
from racelint.model.scenario import Operation

PUBLIC_SPECIAL = (
    "__call__", "__getitem__", "__setitem__", "__delitem__", "__contains__", "__len__", "__iter__", "__next__",
    "__enter__", "__iadd__",
)  # fmt: skip
"""Special methods that callers use from several threads as they use public ones."""

CLOSURE = "made_by_"
"""Begins the set-up's names for what a function returned that makes closures."""

GENERATED_ITEMS = 3
"""What is taken from a generator: it may be endless."""


@dataclass(frozen=True)
class Entry:
    """Something a thread can call: a function of `module`, or a method of `cls` (the class of the object)."""

    module: ModuleOutline
    function: FunctionOutline
    cls: ClassOutline | None = None

    @property
    def makes_object(self) -> bool:
        """Whether to call it is to make an object of its class."""
        return self.cls is not None and self.function.name in ("__init__", "__new__")

    @property
    def label(self) -> str:
        if self.cls is not None and self.makes_object:
            return f"{self.cls.qualname}()"
        if self.cls is not None:
            return f"{self.cls.qualname}.{self.function.name}"
        return self.function.qualname


@dataclass(frozen=True)
class Call:
    """An operation and, where two of its objects are of one class, the same with the two exchanged."""

    operation: Operation
    swapped: Operation | None = None


def call_of(builder: Builder, entry: Entry, subject: str) -> Call:
    """The operation that calls `entry`, on the object named `subject` if it is a method. Raises CannotBuild."""
    function = entry.function
    caller = builder.fixtures.caller(function.name)
    if caller is not None:
        source = f"{caller}({subject})"
        return Call(Operation(entry.label, f"run_task(lambda: {source})" if function.is_async else source))
    if function.is_async and function.is_generator:
        raise CannotBuild(f"`{entry.label}` is an asynchronous generator", "")
    if function.nested:
        return _closure_call(builder, entry)
    if entry.makes_object and entry.cls is not None:
        return Call(Operation(entry.label, builder.fresh(entry.module, entry.cls)))
    arguments = builder.arguments(entry.module, function, entry.cls)
    receiver = _receiver(builder, entry, subject)
    operation = _operation(builder, entry, receiver, arguments.positional, arguments)
    return Call(operation, _swapped(builder, entry, receiver, arguments))


def _receiver(builder: Builder, entry: Entry, subject: str) -> str:
    if entry.cls is None:
        return builder.reference(entry.module, entry.function.qualname)
    if entry.function.kind in ("classmethod", "staticmethod"):
        return builder.reference(entry.module, entry.cls.qualname)
    return subject


def _operation(
    builder: Builder, entry: Entry, receiver: str, positional: tuple[str, ...], arguments: Arguments
) -> Operation:
    text = Arguments(positional, arguments.keywords).text
    function = entry.function
    if entry.cls is None:
        return Operation(entry.label, _consumed(builder, function, f"{receiver}({text})"))
    if function.kind == "property":
        return Operation(entry.label, f"{receiver}.{function.name}")
    if function.kind == "setter":
        return Operation(entry.label, f"{receiver}.{function.name} = {positional[0]}")
    special = _special(builder, function.name, receiver, positional, text)
    if special is not None:
        return Operation(entry.label, special)
    return Operation(entry.label, _consumed(builder, function, f"{receiver}.{function.name}({text})"))


def _consumed(builder: Builder, function: FunctionOutline, call: str) -> str:
    """Run a coroutine's or generator's body, and a context manager's both halves: calling them alone runs nothing."""
    if function.is_async:
        return f"run_task({call})"
    if function.kind == "context":
        return f"with {call}:\n    pass"
    if function.is_generator:
        builder.imports.add("itertools")
        return f"list(itertools.islice({call}, {GENERATED_ITEMS}))"
    return call


def _special(builder: Builder, name: str, receiver: str, positional: tuple[str, ...], text: str) -> str | None:
    first = positional[0] if positional else "1"
    if name in ("__enter__", "__exit__"):
        return f"with {receiver}:\n    pass"
    if name == "__iter__":
        builder.imports.add("itertools")
        return f"list(itertools.islice({receiver}, {GENERATED_ITEMS}))"
    if name == "__setitem__":
        return f"{receiver}[{first}] = {positional[1] if len(positional) > 1 else '1'}"
    return {
        "__call__": f"{receiver}({text})",
        "__getitem__": f"{receiver}[{first}]",
        "__delitem__": f"del {receiver}[{first}]",
        "__contains__": f"{first} in {receiver}",
        "__len__": f"len({receiver})",
        "__bool__": f"bool({receiver})",
        "__next__": f"next({receiver})",
    }.get(name)


def _swapped(builder: Builder, entry: Entry, receiver: str, arguments: Arguments) -> Operation | None:
    """`transfer(b, a)` for `transfer(a, b)`, `b.transfer(a)` for `a.transfer(b)`: how lock orders come to differ."""
    by_class: dict[str, list[int]] = {}
    for index, name in arguments.shared:
        by_class.setdefault(name, []).append(index)
    positional = list(arguments.positional)
    own = entry.cls.qualname if entry.cls is not None and entry.function.kind == "method" else ""
    if own in by_class and own:
        index = by_class[own][0]
        positional[index], other = receiver, positional[index]
        return _operation(builder, entry, other, tuple(positional), arguments)
    for indices in by_class.values():
        if len(indices) > 1:
            first, second = indices[:2]
            positional[first], positional[second] = positional[second], positional[first]
            return _operation(builder, entry, receiver, tuple(positional), arguments)
    return None


def returned_functions(outer: FunctionOutline) -> list[str]:
    """Names of the nested functions that `outer` returns, in the order of a returned tuple; empty for none.

    Of `a if here else b` it is the first: the other one is for other platforms.
    """
    nested = {n.name for n in own_nodes(outer.node) if isinstance(n, ast.FunctionDef)}
    for node in own_nodes(outer.node):
        if isinstance(node, ast.Return) and node.value is not None:
            value = node.value.body if isinstance(node.value, ast.IfExp) else node.value
            values = value.elts if isinstance(value, ast.Tuple) else [value]
            names = [value.id for value in values if isinstance(value, ast.Name)]
            if len(names) == len(values) and set(names) <= nested:
                return names
    return []


def makers_of(module: ModuleOutline, function: FunctionOutline) -> list[FunctionOutline]:
    """The functions to call one after the other to get a nested one, outermost first: each returns the next.

    Empty where one of them does not return it.
    """
    found: list[FunctionOutline] = []
    inner = function
    while inner.nested:
        outer = module.functions.get(inner.qualname.rpartition(".<locals>.")[0])
        if outer is None or inner.name not in returned_functions(outer):
            return []
        found.insert(0, outer)
        inner = outer
    return found


def _closure_call(builder: Builder, entry: Entry) -> Call:
    """Call a function that outer ones return: closures share the variables of the one call that made them."""
    makers = makers_of(entry.module, entry.function)
    if not makers:
        around = entry.module.outermost(entry.function).qualname
        raise CannotBuild(f"`{entry.function.name}` is nested in `{around}`, which does not return it", "")
    outer = makers[0]
    cls = entry.module.classes.get(outer.owner)
    owner = Entry(entry.module, outer, cls)
    chosen = _receiver(builder, owner, builder.subject(entry.module, cls) if cls is not None else "")
    chosen = f"{chosen}.{outer.name}" if cls is not None else chosen
    for maker, inner in zip(makers, [*makers[1:], entry.function], strict=True):
        made = f"{CLOSURE}{maker.name}"
        if made not in builder.names:
            builder.bind(made, f"{chosen}({builder.arguments(entry.module, maker, cls).text})")
        names = returned_functions(maker)
        chosen = made if len(names) == 1 else f"{made}[{names.index(inner.name)}]"
    arguments = builder.arguments(entry.module, entry.function, None)
    return Call(Operation(entry.label, _consumed(builder, entry.function, f"{chosen}({arguments.text})")))
