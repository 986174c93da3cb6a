"""What one file means to the linker: functions as trees of events, classes, imports, directives. Plain data.

A `Path` is an access path: a root and its fields, e.g. `("p:self", "items", "[*]")`. Roots:

    p:NAME          parameter of this function         g:NAME        name of this module (or a builtin)
    f:QUALNAME:NAME variable of an enclosing function  c:ID          result of call `ID` of this function
    v:ID:TYPE:SIZE  object displayed or built here     fn:QUALNAME   function or lambda of this module
    cls:QUALNAME    class of this module               k:TYPE:TEXT   constant
    l:NAME          a local whose value is not known   o:ID          what write `ID` of this function replaced

SIZE is the number of elements of a displayed list or tuple, the keys of a dict, where that is known.

A function's body is a control-flow tree: Python has no goto, so a tree with exception edges on `Try` carries what a
graph would, serialises as it stands and can be read. Events are numbered in the order of evaluation; `deps` names
the reads and calls that a value or a condition was computed from (through locals).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, final

import msgspec

Path = tuple[str, ...]
Value = tuple[Path, ...]
"""The access paths that an expression may denote; empty where none is known."""
Span = tuple[int, int, int, int]
"""Line, column, end line, end column: 1-based, columns in characters, the end exclusive."""
Number = tuple[str, ...]
"""A whole number in postfix order: digits, `g:NAME`, `p:NAME`, `p:NAME/FIELD`, `len:p:NAME` and operators; empty where
unknown."""

LENGTH = "len:"
"""How the number of elements of a parameter begins."""

ELEMENT = "[*]"
"""The field that stands for any element of a container."""

WHOLE = ":"
"""The key of a write or deletion of all elements: `del items[:]`, `items[:] = more`."""

AccessKind = Literal["read", "write", "delete", "iterate", "test"]


class Node(msgspec.Struct, array_like=True, frozen=True):
    """Base of everything in a control-flow tree."""


@final
class Access(Node, tag="a", array_like=True, frozen=True):
    """A read, write, deletion, iteration or membership test (`x in path`) of an access path.

    `key` is the text of a simple subscript. `augmented` marks the write of `+=` and its kin; `value` is what a write
    stores, `operands` what the arithmetic takes that works it out. `called` marks the load of a callee: a read only
    where the attribute turns out not to be a method.
    """

    id: int
    kind: AccessKind
    path: Path
    span: Span
    deps: tuple[int, ...] = ()
    value: Value = ()
    key: str = ""
    augmented: bool = False
    called: bool = False
    operands: Value = ()


class Argument(msgspec.Struct, array_like=True, frozen=True):
    """One argument of a call; `name` is a keyword, `*` or `**`, else empty."""

    name: str
    value: Value
    deps: tuple[int, ...] = ()
    number: Number = ()
    """What an argument such as `SIZE + 1` works out to."""
    bracketed: bool = False
    """`(x)`: brackets that make no tuple."""


@final
class Call(Node, tag="c", array_like=True, frozen=True):
    """A call; `func` is what is called: a path that ends in the method's name where it is an attribute.

    `used` is false for an expression statement, `awaited` is true for `await f()`.
    """

    id: int
    func: Value
    args: tuple[Argument, ...]
    span: Span
    deps: tuple[int, ...] = ()
    used: bool = True
    awaited: bool = False
    key: str = ""
    """Text of a simple first argument: the key of `d.pop(k)` or `d.get(k)`."""


@final
class Suspend(Node, tag="s", array_like=True, frozen=True):
    """An `await` or `yield`: others run here."""

    kind: Literal["await", "yield"]
    span: Span
    value: Value = ()
    deps: tuple[int, ...] = ()


@final
class Operation(Node, tag="o", array_like=True, frozen=True):
    """An expression that can raise and is neither access nor call, e.g. a subscript of an unknown value."""

    span: Span


Test = Literal["truth", "none", "in", "compare", "other"]


class Part(msgspec.Struct, array_like=True, frozen=True):
    """One condition of several joined by `and` or `or`; what it says is said as by `Branch`."""

    deps: tuple[int, ...]
    test: Test
    negated: bool


@final
class Branch(Node, tag="b", array_like=True, frozen=True):
    """An `if`, conditional expression or short circuit. `deps` are what the condition was computed from.

    `call` is the id of the call whose truth decides (`if lock.acquire(timeout=1):`), -1 otherwise; `negated` says
    that `then` is taken where it was false.
    """

    span: Span
    deps: tuple[int, ...]
    test: Test
    call: int
    negated: bool
    then: tuple[AnyNode, ...]
    orelse: tuple[AnyNode, ...]
    constant: str = ""
    """`true` or `false` where the condition is a literal, `main` where it tells a script from an imported module."""
    implied: tuple[tuple[Path, bool], ...] = ()
    """What plain names hold in `then`: something true, or something false (None, 0, empty)."""
    parts: tuple[Part, ...] = ()
    """Conditions that all hold in `then`, or all hold in `orelse` where `otherwise` is true."""
    otherwise: bool = False
    differs: bool = False
    """It compares by `!=` or `is not`."""


@final
class Loop(Node, tag="l", array_like=True, frozen=True):
    """`head` is evaluated at every turn (the test of a while, the step of a for); `deps` are the condition's.

    `iterates` is the container of a for, `infinite` marks `while True`, `turns` is how often a for turns.
    """

    kind: Literal["for", "while", "comprehension"]
    span: Span
    deps: tuple[int, ...]
    head: tuple[AnyNode, ...]
    body: tuple[AnyNode, ...]
    orelse: tuple[AnyNode, ...]
    iterates: Value = ()
    infinite: bool = False
    is_async: bool = False
    call: int = -1
    negated: bool = False
    counted: bool = False
    """A `for` over `range(…)`, or a `while` that looks at another place of a container at each turn."""
    turns: Number = ()


class Handler(msgspec.Struct, array_like=True, frozen=True):
    """An `except` clause; `types` are access paths of the classes, empty for a bare one."""

    types: Value
    body: tuple[AnyNode, ...]


@final
class Try(Node, tag="t", array_like=True, frozen=True):
    span: Span
    body: tuple[AnyNode, ...]
    handlers: tuple[Handler, ...]
    orelse: tuple[AnyNode, ...]
    final: tuple[AnyNode, ...]


class WithItem(msgspec.Struct, array_like=True, frozen=True):
    """One context manager of a `with`: what it denotes and where."""

    value: Value
    span: Span


@final
class With(Node, tag="w", array_like=True, frozen=True):
    """One context manager and its block; `with a, b:` is two of them, one in the other."""

    item: WithItem
    body: tuple[AnyNode, ...]
    is_async: bool
    id: int


@final
class Return(Node, tag="r", array_like=True, frozen=True):
    span: Span
    value: Value
    deps: tuple[int, ...]


@final
class Raise(Node, tag="x", array_like=True, frozen=True):
    span: Span
    types: Value


@final
class Jump(Node, tag="j", array_like=True, frozen=True):
    kind: Literal["break", "continue"]
    span: Span


AnyNode = Access | Call | Suspend | Operation | Branch | Loop | Try | With | Return | Raise | Jump


def leaves(nodes: Sequence[AnyNode]) -> bool:
    """Whether control never reaches the end of a block, judged by its last node."""
    if not nodes:
        return False
    last = nodes[-1]
    if isinstance(last, (Return, Raise, Jump)):
        return True
    return isinstance(last, Branch) and leaves(last.then) and leaves(last.orelse)


class Parameter(msgspec.Struct, array_like=True, frozen=True):
    """`kind` is `plain`, `positional`, `keyword`, `star` or `double-star`."""

    name: str
    kind: str
    annotation: Value
    default: Value
    has_default: bool


class Decorator(msgspec.Struct, array_like=True, frozen=True):
    """`call` is the id of the decorator's call in the enclosing body, -1 for a bare name."""

    value: Value
    args: tuple[Argument, ...] = ()
    called: bool = False


class Function(msgspec.Struct, array_like=True, frozen=True):
    """One function, method, lambda, class body (`kind` class) or the module's own code (qualname `<module>`)."""

    qualname: str
    name: str
    kind: Literal["function", "lambda", "class", "module"]
    cls: str
    """Qualified name of the class it is a method of, else empty."""
    parent: str
    """Qualified name of the function whose body defines it, else empty."""
    params: tuple[Parameter, ...]
    decorators: tuple[Decorator, ...]
    body: tuple[AnyNode, ...]
    span: Span
    name_span: Span
    is_async: bool = False
    is_generator: bool = False
    returns: Value = ()
    hints: dict[str, Value] = {}
    """Annotations of local variables, by name."""


class ClassDef(msgspec.Struct, array_like=True, frozen=True):
    qualname: str
    name: str
    bases: tuple[Value, ...]
    metaclass: Value
    decorators: tuple[Decorator, ...]
    methods: dict[str, str]
    """Method name to the qualified name of its last definition."""
    hints: dict[str, Value]
    """Annotated attributes of the body."""
    span: Span
    name_span: Span
    parent: str = ""
    slots: tuple[str, ...] = ()


class Import(msgspec.Struct, array_like=True, frozen=True):
    """`import module as name` (attribute empty) or `from module import attribute as name`; `level` counts the dots."""

    name: str
    module: str
    attribute: str
    level: int


DISCLAIMED = "not-thread-safe"
"""The verb of what is no comment: the docstring of the function or class on that line says so of it."""


class Directive(msgspec.Struct, array_like=True, frozen=True):
    """A `# racelint: verb(argument)` comment that informs the analysis; `own_line` if nothing else stands there."""

    line: int
    verb: str
    argument: str
    own_line: bool


class ModuleSummary(msgspec.Struct, array_like=True, frozen=True):
    """All the linker needs of one file."""

    functions: tuple[Function, ...]
    classes: tuple[ClassDef, ...]
    imports: tuple[Import, ...]
    variables: tuple[str, ...]
    """Names bound at module level by something else than def, class and import, or declared global."""
    directives: tuple[Directive, ...]
    lines: int = 0
