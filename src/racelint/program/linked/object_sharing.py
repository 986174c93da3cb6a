"""Whether several tasks (or threads) of the program's users are likely to have one object: told by who makes it.

Objects that only users make (clients, applications), and those that such an object or a module keeps, live long and
are handed around. What a method makes and returns or passes on belongs to whoever asked for it.
"""

from __future__ import annotations

from typing import Literal

from racelint.knowledge.coroutines import FOR_ONE_TASK
from racelint.model.summary import ELEMENT, Call, Path
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.families import descendants

Fate = Literal["shared", "handed", "unknown"]


class ObjectSharing:
    """Answers for the classes of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._known: dict[str, bool] = {}

    def is_shared(self, cls: ClassInfo) -> bool:
        """Whether one instance is likely to be used from several places at once."""
        known = self._known.get(cls.id)
        if known is None:
            self._known[cls.id] = False
            fates = {self._fate(function, call, cls) for function, call in self._sites(cls)}
            known = self._known[cls.id] = fates != {"handed"} and not _is_for_one_task(cls)
        return known

    def _sites(self, cls: ClassInfo) -> list[tuple[FunctionInfo, Call]]:
        return [site for made in (cls, *descendants(cls)) for site in self.program.callees.makings.get(made.id, [])]

    def _fate(self, function: FunctionInfo, call: Call, cls: ClassInfo) -> Fate:
        """What becomes of an object that the program makes; `unknown` where a factory makes it for its users."""
        made: Path = (f"c:{call.id}",)
        if function.cls is not None and cls in function.cls.mro:
            return "unknown"  # an alternative constructor, or a copy
        if function.ir.kind in ("module", "class"):
            return "shared"
        facts = self.program.stores.facts[function.id]
        for access in facts.accesses:
            if access.kind == "write" and made in access.value and access.path[-1] != ELEMENT:
                if access.path[0].startswith(("g:", "cls:")):
                    return "shared"
                if function.cls is not None and access.path[0] == f"p:{function.self_name}":
                    return "shared" if self.is_shared(function.cls) else "handed"
        by_program = function.cls is not None or function.ir.is_async or bool(function.ir.parent)
        returned = any(made in node.value for node in facts.returns)
        return "handed" if by_program and not (returned and function.cls is None) else "unknown"


def _is_for_one_task(cls: ClassInfo) -> bool:
    return cls.name.endswith(FOR_ONE_TASK)
