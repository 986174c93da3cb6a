"""What hangs on the arguments of calls: which answers of the type inference, and the calls of which functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from racelint.model.summary import Path
from racelint.program.names.index import FunctionInfo

if TYPE_CHECKING:
    from racelint.program.objects.things import Thing


class Question(msgspec.Struct, eq=False):
    """What a path may hold in a function, where arguments may change that."""

    function: FunctionInfo
    path: Path
    things: tuple[Thing, ...] | None = None
    """The answer; None as long as there is none that is complete."""
    askers: list[Question | FunctionInfo] = []
    """What it was asked for: other questions, and functions for their calls."""
    depth: int = -1
    """How many questions are under way around it while it is, too."""
    tried: bool = False
    """Its answer was incomplete: the next one has to do."""


class Askers:
    """What arguments have changed, and what hangs on that."""

    def __init__(self) -> None:
        self._changed: dict[tuple[FunctionInfo, str], None] = {}

    def change(self, function: FunctionInfo, parameter: str) -> None:
        """Calls are known that pass something else for the parameter."""
        self._changed[function, parameter] = None

    def outdated(self) -> tuple[list[Question], set[FunctionInfo]]:
        """All that hangs on what has changed since this was last asked."""
        functions: set[FunctionInfo] = set()
        asked = (function.questions.get((f"p:{parameter}",)) for function, parameter in self._changed)
        found = {question: None for question in asked if question is not None}
        self._changed = {}
        pending = list(found)
        while pending:
            for asker in pending.pop().askers:
                if type(asker) is FunctionInfo:
                    functions.add(asker)
                elif asker not in found:
                    found[asker] = None
                    pending.append(asker)
        return list(found), functions
