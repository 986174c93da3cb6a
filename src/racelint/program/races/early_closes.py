"""Files, sockets and connections that are closed before another one is put in their place.

`self.log.close()`, then `self.log = open(name)`: a thread that uses the attribute in between meets the closed one.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.containers import CLOSED_FOR_GOOD
from racelint.model.summary import Access, Branch, Call, Try
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Constant, Object
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.races import guarded_together
from racelint.program.sharing.ownership import makes_self

_PREPARED_FOR = frozenset({"g:Exception", "g:BaseException", "g:OSError", "g:IOError", "g:ValueError", "error"})
"""Errors that a use of what is closed raises, as handlers name them; `error` is that of `socket` and its like."""
_CLOSED = frozenset({"close", "closed", "fileno", "shutdown"})


class EarlyClose(msgspec.Struct, frozen=True):
    """`close` comes before `write` puts another object there; `use` is called by another thread on what is there."""

    close: Call
    write: Record
    use: Record
    call: Call


class EarlyCloses:
    """All of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.races = program.suspects.races

    def found(self) -> Iterator[EarlyClose]:
        """In the order of the locations, one for each that is replaced so."""
        for group in self.races.groups:
            if group.location.kind in ("attribute", "global") and not group.location.content:
                yield from list(self._of(group))[:1]

    def _of(self, group: Group) -> Iterator[EarlyClose]:
        for write in group.changes:
            close = self._closed_before(write)
            for use in group.records if close is not None else ():
                call = self._called(use) if use.access.function is not write.access.function else None
                if close is not None and call is not None and self._is_race(write, use, group):
                    yield EarlyClose(close, write, use, call)

    def _closed_before(self, write: Record) -> Call | None:
        """The close of what is there, in the same block as the write of what was made since."""
        access, function = write.access, write.access.function
        made = access.deed == "write" and any(path[0].startswith("c:") for path in access.value)
        if not made or makes_self(function) or function.ir.is_async:
            return None
        places = place_of(function, access.event)
        before = places[-1].block[: places[-1].position] if places else ()
        closed: Call | None = None
        for node in nodes_of(before):
            if type(node) is Access and node.kind == "write" and node.path == access.path:
                closed = None
            elif type(node) is Call and node.func == ((*access.path, "close"),):
                closed = node
        return closed if closed is not None and self._is_for_good(write) else None

    def _is_for_good(self, write: Record) -> bool:
        things = self.program.types.of(write.access.path, write.access.function)
        known = [thing for thing in things if not isinstance(thing, Constant)]
        return bool(known) and all(isinstance(thing, Object) and thing.dotted in CLOSED_FOR_GOOD for thing in known)

    def _called(self, use: Record) -> Call | None:
        """The call on what the record reads, of a function that is not prepared for a closed one."""
        access, function = use.access, use.access.function
        for call in self.program.stores.facts[function.id].calls if access.deed == "read" else ():
            path = call.func[0] if call.func else ()
            here = call.span[:2] == access.span[:2] and path[:-1] == access.path and path[-1] not in _CLOSED
            if here and not self._is_prepared(function, call, access.path):
                return call
        return None

    @staticmethod
    def _is_prepared(function: FunctionInfo, call: Call, path: tuple[str, ...]) -> bool:
        for node in enclosing(place_of(function, call.id)):
            if isinstance(node, Try) and any(
                not handler.types or any(name[-1] in _PREPARED_FOR for name in handler.types)
                for handler in node.handlers
            ):
                return True
            if isinstance(node, Branch) and any(
                isinstance(inner, Access) and inner.id in node.deps and inner.path == (*path, "closed")
                for inner in nodes_of(function.ir.body)
            ):
                return True
        return False

    def _is_race(self, write: Record, use: Record, group: Group) -> bool:
        """Whether one of them runs in a thread that is seen to start, beside the other."""
        if write.context.root is None and use.context.root is None:
            return False
        certain = not write.perhaps and not use.perhaps and not guarded_together(write, use)
        return certain and self.races.overlap.parallel(write, use, group)
