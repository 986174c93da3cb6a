"""Which object a thread runs a method of, where it is made and kept such that others cannot have it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from racelint.knowledge.threads import ASKED_FOR
from racelint.model.summary import Path, Value
from racelint.program.flow.values import FunctionFacts, Stored
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.anchors import Anchor
from racelint.program.parallel.parts import Parts
from racelint.program.sharing.ownership import is_made_with, makes_self
from racelint.program.threads.context import Context
from racelint.program.threads.users import are_within, begins_or_ends, is_called_once


class OwnObjects:
    """Answers for the roots of a program and the objects that other code works on, told by their anchors."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.parts = Parts(program)
        self._hidden: dict[str, frozenset[str]] = {}

    def kept_from(self, root: ThreadRoot, other: Context, anchor: Anchor | None) -> bool:
        """Whether the thread's object is none that `other`, which works on the object at `anchor`, can have.

        It is a local of the function that starts the thread, or in a private attribute that holds nothing but what
        was made for it: who has it has it from there.
        """
        maker, receiver = root.site_function, root.receiver
        if maker is None or receiver is None or not self._is_objects_of(anchor, root):
            return False
        around = [context.function for context in other.chain()]
        if len(receiver) == 1:
            return maker not in around and self.program.ownership.stays_with(receiver[0], maker)
        readers = self._readers_of_hidden(receiver, maker)
        return bool(readers) and not any(function.id in readers for function in around)

    def is_its_step(self, mine: Context, other: Context) -> bool:
        """Whether `other` is entered by what nobody but the thread calls, on an object that is not the thread's own.

        `for bucket in self.buckets: bucket.leak()`: that is there for the thread, though users could call it, too.
        """
        step, frames = other.entry.function, [frame.function for frame in mine.chain()]
        target = frames[0]
        if step not in frames[1:] or step.cls is None or target.cls is None or step.cls in target.cls.mro:
            return False
        sites = self.program.calls.incoming.get(step.id, ())
        return all(site.caller in frames and site.receiver is not None and len(site.receiver) > 1 for site in sites)

    def is_inherited_step(self, root: ThreadRoot, other: Context) -> bool:
        """Whether `other` is entered by a step of a base that thread objects come to, and that nothing else calls.

        Of steps of its own class, or of objects that no thread runs on, `Users` and others see to that.
        """
        step, cls = other.entry.function, root.target.cls
        if not root.own_self or cls is None or step.cls is None or step.cls is cls or step.cls not in cls.mro:
            return False
        if step.ir.name in ASKED_FOR or begins_or_ends(step):
            return False
        return are_within(self.program.calls.incoming.get(step.id, ()), cls)

    def apart(self, first: ThreadRoot, second: ThreadRoot, mine: Anchor | None, theirs: Anchor | None) -> bool:
        """Whether two threads run methods of objects that the functions which start them have each made."""
        if first.site is second.site or not (self._is_objects_of(mine, first) and self._is_objects_of(theirs, second)):
            return False
        made = [(root.site_function, root.receiver) for root in (first, second)]
        return made[0] != made[1] and all(
            maker is not None
            and receiver is not None
            and len(receiver) == 1
            and receiver[0].startswith("c:")
            and self.program.ownership.is_fresh(receiver[0], maker)
            for maker, receiver in made
        )

    def each_has(self, root: ThreadRoot, context: Context, anchor: Anchor | None) -> bool:
        """Whether each thread of the root has an object of its own at the anchor: its own object or a part of that.

        The thread's own object is one, or the constructor starts the thread of the object that it makes. A method that
        its object hands out once, to be run by such a thread, has its object for itself.
        """
        cls, owners = root.target.cls, self._owners(root)
        if cls is None or not owners:
            return False
        if any(self.parts.is_part_of(anchor, owner) for owner in owners):
            return True
        given = next(iter(context.chain()[1:2]), None)
        return (
            given is not None
            and given.function.cls is not None
            and self.runs_given(root.target, given.site)
            and self._is_handed_out_once(given.function)
            and self.parts.is_part_of(anchor, given.function.cls)
        )

    def _owners(self, root: ThreadRoot) -> list[ClassInfo]:
        """The classes of the objects that each thread of the root has for itself, but for parts of them.

        A constructor that starts a thread on what it has made for its object has both made for that thread.
        """
        cls, starter, receiver = root.cls or root.target.cls, root.site_function, root.receiver
        if cls is None or root.own_self:
            return [cls] if cls is not None else []
        if starter is None or starter.cls is None or not receiver or not is_made_with(root):
            return []
        made_for_it = self.parts.is_part_of((*self.program.anchors.of_class(starter.cls), *receiver[1:]), starter.cls)
        return list(dict.fromkeys((cls, starter.cls))) if made_for_it else []

    def runs_given(self, target: FunctionInfo, event: int) -> bool:
        """`self.action()`: the call of a function that the object was made with."""
        call, own, cls = self.program.stores.facts[target.id].call(event), f"p:{target.self_name}", target.cls
        return call is not None and any(
            len(path) == 2 and path[0] == own and cls is not None and cls.method(path[1]) is None for path in call.func
        )

    def _is_handed_out_once(self, method: FunctionInfo) -> bool:
        """Its own object, when that is made or started, gives it to somebody, and nobody else does."""
        places = self._handings.get(method.id, [])
        return len(places) == 1 and all(
            (makes_self(function) or is_called_once(function)) and not loops_around(function).get(event)
            for function, event in places
        )

    @cached_property
    def _handings(self) -> dict[str, list[tuple[FunctionInfo, int]]]:
        """By method: the functions and events where `self.method` is passed on, stored or returned."""
        found: dict[str, list[tuple[FunctionInfo, int]]] = {}
        for function in self.program.index.functions:
            facts, cls = self.program.stores.facts[function.id], function.cls
            if cls is None or not function.self_name:
                continue
            for event, value in _handed_on(facts):
                for path in value:
                    own = len(path) == 2 and path[0] == f"p:{function.self_name}"
                    method = cls.method(path[1]) if own else None
                    if method is not None:
                        found.setdefault(method.id, []).append((function, event))
        return found

    def are_parts(self, first: ThreadRoot, second: ThreadRoot, mine: Anchor | None, theirs: Anchor | None) -> bool:
        """Whether two thread objects each have what was made for it; or one request handler, on its one thread, has."""
        owners = (first.cls or first.target.cls, second.cls or second.target.cls)
        if not (first.own_self and second.own_self) or owners[0] is None or owners[1] is None:
            return False
        return self.parts.is_part_of(mine, owners[0]) and self.parts.is_part_of(theirs, owners[1])

    def same(self, left: Context, right: Context, mine: Anchor | None, theirs: Anchor | None) -> bool:
        """Whether two anchors, seen in these contexts, are one object that lives longer than a call."""
        if self._is_of_one_call(mine):
            return False
        same = self.program.anchors.same
        return (
            same(mine, theirs)
            or same(self._at_starter(left, mine), theirs)
            or same(mine, self._at_starter(right, theirs))
        )

    def _at_starter(self, context: Context, anchor: Anchor | None) -> Anchor | None:
        """The thread's own object, as an attribute of the object whose method starts it."""
        root = context.root
        if root is None or root.target.cls is None or anchor is None or root.receiver is None:
            return None
        starter = root.site_function
        if starter is None or starter.cls is None or len(root.receiver) != 2:
            return None
        own = {starter.self_name: self.program.anchors.of_class(starter.cls)}
        kept = self.program.anchors.of(root.receiver, starter, own)
        at_self = anchor[0] == self.program.anchors.of_class(root.target.cls)[0]
        return (*kept, *anchor[1:]) if kept is not None and at_self else None

    def _is_of_one_call(self, anchor: Anchor | None) -> bool:
        """Whether the object is one that a call of some function makes, and that is over with that call."""
        cls = self._class_of(anchor)
        return cls is not None and self.program.thread_objects.is_brief(cls)

    def _class_of(self, anchor: Anchor | None) -> ClassInfo | None:
        return self.program.anchors.class_of(anchor) if anchor is not None and len(anchor) == 1 else None

    def _is_objects_of(self, anchor: Anchor | None, root: ThreadRoot) -> bool:
        """The object that the anchor stands for is of the class of the thread's own, or of a related one."""
        cls, own = self._class_of(anchor), root.target.cls
        return cls is not None and own is not None and (cls in own.mro or own in cls.mro)

    def _readers_of_hidden(self, receiver: Path, maker: FunctionInfo) -> frozenset[str]:
        """The functions that touch the private attribute at `receiver`; none where others may have what it holds."""
        location = self.program.locations.of(receiver, maker)
        if location is None or location.kind != "attribute" or len(location.fields) != 1:
            return frozenset()
        key = f"{location.owner}.{location.fields[0]}"
        if key not in self._hidden:
            entries = self.program.stores.attributes.get((location.owner, location.fields[0]), [])
            private = location.fields[0].startswith("_") and bool(entries)
            accesses = self.program.shared.at(location) if private else []
            kept = all(self._is_made_for_it(entry) for entry in entries)
            kept = kept and not any(self._hands_out(access.path, access.function) for access in accesses)
            self._hidden[key] = frozenset(access.function.id for access in accesses if kept)
        return self._hidden[key]

    def _hands_out(self, path: Path, function: FunctionInfo) -> bool:
        """Returns or stores what is at the path, or passes it on."""
        return any(path in value for _, value in _handed_on(self.program.stores.facts[function.id]))

    def _is_made_for_it(self, entry: Stored) -> bool:
        """None, or a new object that the function puts nowhere else."""
        facts, ownership = self.program.stores.facts[entry.function.id], self.program.ownership
        for path in entry.value:
            if path[0].startswith("k:"):
                continue
            if len(path) != 1 or not path[0].startswith("c:") or not ownership.is_fresh(path[0], entry.function):
                return False
            stored = [access for access in facts.accesses if access.kind == "write" and path in access.value]
            handed = [call for call in facts.calls if any(path in argument.value for argument in call.args)]
            if len(stored) > 1 or handed or any(path in node.value for node in facts.returns):
                return False
        return True


def _handed_on(facts: FunctionFacts) -> Iterator[tuple[int, Value]]:
    """What a function passes on, stores, returns or yields, and the event that does it; -1 for the last two."""
    yield from ((call.id, argument.value) for call in facts.calls for argument in call.args)
    yield from ((access.id, access.value) for access in facts.accesses if access.kind == "write")
    yield from ((-1, node.value) for node in facts.returns)
    yield from ((-1, node.value) for node in facts.yields)
