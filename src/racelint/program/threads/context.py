"""A function together with the locks its callers hold and the parameters that the caller owns."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.program.flow.ways import Given
from racelint.program.locking.locks import Lock
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.anchors import Anchor


class Context(msgspec.Struct, frozen=True, eq=False):
    """One way in which a function runs.

    `root` is None where the program's users call it (`public` if they may do so directly). `held` are locks that
    callers hold, `perhaps` says that they may hold more. `owned`: parameters that the thread owns; `private`: those
    that are the root's own instance.
    """

    function: FunctionInfo
    root: ThreadRoot | None
    held: frozenset[Lock]
    perhaps: bool
    owned: frozenset[str]
    private: frozenset[str]
    parent: Context | None
    site: int
    public: bool
    anchors: tuple[tuple[str, Anchor], ...] = ()
    """What the parameters hang from, where that is known."""
    self_class: ClassInfo | None = None
    """The class of the object whose method runs, where that is known better than by the method."""
    switches: Given = frozenset()
    """What the caller sets switches among the parameters to."""
    origin: Context | None = None
    """Where the way down to it begins; None for what is such a beginning."""

    @property
    def entry(self) -> Context:
        return self.origin or self

    @property
    def overruled(self) -> bool:
        """No object runs this: a thread's target calls its own object's methods of a class with a target of its own."""
        target = self.entry.function
        context: Context | None = self if self.root is not None and target.cls is not None else None
        while context is not None:
            cls = context.function.cls
            own = cls is not None and cls is not target.cls and context.function.self_name in context.private
            if own and cls is not None and target.cls in cls.mro and cls.method(target.ir.name) is not target:
                return True
            context = context.parent
        return False

    def chain(self) -> list[Context]:
        """From the root to this function."""
        found: list[Context] = []
        context: Context | None = self
        while context is not None:
            found.append(context)
            context = context.parent
        return found[::-1]

    def outwards(self, event: int) -> Iterator[tuple[FunctionInfo, int]]:
        """This function with the event in it, then each caller up to the root with its call."""
        context: Context | None = self
        while context is not None:
            yield context.function, event
            event, context = context.site, context.parent
