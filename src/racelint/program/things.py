"""What an access path may hold: the vocabulary of the type inference (`racelint.program.types`)."""

from __future__ import annotations

from typing import NamedTuple

from racelint.program.index import ClassInfo, External, FunctionInfo, ModuleInfo


class Instance(NamedTuple):
    """An instance of a class of the program."""

    cls: ClassInfo


class Bound(NamedTuple):
    """A method with its instance (or class) already given, or a plain function (`bound` false).

    `skipped` counts positional arguments given by functools.partial; `site` is the call event of the partial.
    """

    function: FunctionInfo
    bound: bool
    skipped: int = 0


class Object(NamedTuple):
    """An object made by something outside of the program, by the dotted name of its type."""

    dotted: str


class Member(NamedTuple):
    """A method of an Object: `queue.Queue`, `put`."""

    dotted: str
    name: str


class Constant(NamedTuple):
    text: str


Thing = Instance | Bound | Object | Member | Constant | ClassInfo | ModuleInfo | External
