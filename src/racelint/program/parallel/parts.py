"""Parts of an object: what its attributes hold, where they are given nothing but what is made for them."""

from __future__ import annotations

from racelint.model.summary import Path
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.thread_root import in_one_turn
from racelint.program.objects.anchors import Anchor
from racelint.program.objects.things import Instance
from racelint.program.sharing.own_rows import OwnRows
from racelint.program.sharing.ownership import makes_self


class Parts:
    """Answers for the objects of a program: who has one for itself has its parts, too."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.rows = OwnRows(program.stores)

    def is_part_of(self, anchor: Anchor | None, owner: ClassInfo) -> bool:
        """The object of the class, or what its attributes hold that are given nothing but what is made for them."""
        cls = self.program.anchors.class_of(anchor) if anchor is not None else None
        if anchor is None or cls is None or not (cls in owner.mro or owner in cls.mro):
            return False
        holders = {cls, owner}
        for field in anchor[1:]:
            entries = [
                entry
                for base in dict.fromkeys(base for holder in holders for base in holder.mro)
                for entry in self.program.stores.attributes.get((base.id, field), [])
            ]
            values = [(path, entry.function) for entry in entries for path in entry.value]
            if not values or not all(self._is_new(path, function) for path, function in values):
                return False
            things = [thing for path, function in values for thing in self.program.types.of(path, function)]
            holders = {thing.cls for thing in things if isinstance(thing, Instance)}
        return True

    def _is_new(self, path: Path, function: FunctionInfo) -> bool:
        """A constant, what the function makes, or what all who call it make for it; what its connection has."""
        if path[0].startswith("k:") or self.rows.is_row_of_connection(path, function):
            return True
        if len(path) != 1 or function.ir.kind == "class":
            return False
        if path[0].startswith("p:") and makes_self(function):
            given = self.program.types.arguments.get((function.id, path[0][2:]), [])
            return all(self._is_made_by(value, caller) for values, caller in given for value in values)
        return self._is_made_by(path, function)

    def _is_made_by(self, path: Path, function: FunctionInfo) -> bool:
        """A constant, or an object that the function makes and gives to one alone, each time anew."""
        if path[0].startswith("k:"):
            return True
        if len(path) != 1 or not self.program.ownership.is_fresh(path[0], function):
            return False
        facts = self.program.stores.facts[function.id]
        given = [call for call in facts.calls if any(path in argument.value for argument in call.args)]
        if path[0].startswith("v:"):
            return not given and sum(path in access.value for access in facts.accesses) == 1
        return len(given) <= 1 and all(in_one_turn(function, call.id, int(path[0][2:])) for call in given)
