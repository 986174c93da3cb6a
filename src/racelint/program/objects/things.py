"""What an access path may hold: the vocabulary of the type inference (`racelint.program.objects.types`)."""

from __future__ import annotations

from typing import final

import msgspec

from racelint.program.names.index import ClassInfo, External, FunctionInfo, ModuleInfo


@final
class Instance(msgspec.Struct, frozen=True):
    """An instance of a class of the program."""

    cls: ClassInfo


@final
class Bound(msgspec.Struct, frozen=True):
    """A method with its instance (or class) already given, or a plain function (`bound` false).

    `skipped` counts positional arguments given by functools.partial; `site` is the call event of the partial.
    """

    function: FunctionInfo
    bound: bool
    skipped: int = 0


@final
class Object(msgspec.Struct, frozen=True):
    """An object made by something outside of the program, by the dotted name of its type."""

    dotted: str


@final
class Member(msgspec.Struct, frozen=True):
    """A method of an Object: `queue.Queue`, `put`."""

    dotted: str
    name: str


@final
class Constant(msgspec.Struct, frozen=True):
    text: str


Thing = Instance | Bound | Object | Member | Constant | ClassInfo | ModuleInfo | External
