"""What hangs on the arguments of calls: which answers of the type inference, and the calls of which functions."""

from __future__ import annotations

from racelint.model.summary import Path
from racelint.program.names.index import FunctionInfo

Question = tuple[FunctionInfo, Path]
"""What a path may hold in a function."""
Asker = Question | FunctionInfo
"""What a question is asked for: another one, or the calls of a function."""


class Askers:
    """Questions whose answers arguments may change, each with what it was asked for."""

    def __init__(self) -> None:
        self.current: Asker | None = None
        """What the next question is asked for; None for what nobody has to know of later."""
        self._noted: list[tuple[Question, Asker]] = []
        """What is not in `_askers` yet."""
        self._askers: dict[Question, list[Asker]] = {}
        self._changed: dict[Question, None] = {}
        self._closed = False

    def note(self, question: Question, asker: Asker | None) -> None:
        """The question was asked for this one, and arguments may change its answer."""
        if asker is not None and not self._closed:
            self._noted.append((question, asker))

    def change(self, function: FunctionInfo, parameter: str) -> None:
        """Calls are known that pass something else for the parameter."""
        self._changed[function, (f"p:{parameter}",)] = None

    def outdated(self) -> tuple[list[Question], set[FunctionInfo]]:
        """All that hangs on what has changed since this was last asked."""
        askers = self._askers
        if self._changed:
            for question, asker in self._noted:
                askers.setdefault(question, []).append(asker)
            self._noted.clear()
        functions: set[FunctionInfo] = set()
        found, self._changed = self._changed, {}
        pending = list(found)
        while pending:
            for asker in askers.get(pending.pop(), ()):
                if type(asker) is FunctionInfo:
                    functions.add(asker)
                elif asker not in found:
                    found[asker] = None
                    pending.append(asker)
        return list(found), functions

    def forget(self) -> None:
        self._noted.clear()
        self._askers.clear()

    def close(self) -> None:
        """No argument changes any more."""
        self.forget()
        self._closed = True
