"""Stop events that are cleared for a new thread while the one before, which nobody joins, may not have seen them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.families import descendants
from racelint.program.sharing.ownership import makes_self
from racelint.program.waiting.event_races import LOOKS, EventRaces, EventUse


class ReusedEvent(msgspec.Struct, frozen=True):
    """`clear` comes before the start of `root`, which looks at the event at `look` to end; `stop` sets it."""

    clear: EventUse
    root: ThreadRoot
    look: EventUse
    stop: EventUse


class ReusedEvents:
    """All of them, one for each `clear`."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.uses = EventRaces(program).by_function

    def found(self) -> Iterator[ReusedEvent]:
        """In source order."""
        for function in self.program.index.functions:
            for clear in self.uses.get(function.id, ()):
                if clear.method == "clear" and not makes_self(function) and function.ir.kind == "function":
                    yield from list(self._of(clear))[:1]

    def _of(self, clear: EventUse) -> Iterator[ReusedEvent]:
        stop = self._use_elsewhere(clear, frozenset({"set"}))
        for root in self.program.roots if stop is not None else ():
            begins = any(f is clear.function and event > clear.call.id for f, event in root.starts)
            if root.kind != "thread" or root.joins or not begins or self._joins(clear.function):
                continue
            looks = [use for function in self._run_by(root) for use in self.uses.get(function.id, ())]
            look = next((use for use in looks if use.place == clear.place and use.method in LOOKS), None)
            if look is not None and stop is not None:
                yield ReusedEvent(clear, root, look, stop)

    def _use_elsewhere(self, clear: EventUse, methods: frozenset[str]) -> EventUse | None:
        for function in self.program.index.functions:
            for use in self.uses.get(function.id, ()):
                if use.place == clear.place and use.method in methods and function is not clear.function:
                    return use
        return None

    def _joins(self, function: FunctionInfo) -> bool:
        """The starting function waits for a thread, or looks whether one is alive."""
        calls = self.program.stores.facts[function.id].calls
        return any(path[-1] in ("join", "is_alive", "isAlive") for call in calls for path in call.func)

    def _run_by(self, root: ThreadRoot) -> list[FunctionInfo]:
        """What the thread may run, methods of subclasses included."""
        target = root.target
        classes = descendants(target.cls) if target.cls is not None else []
        named = [method for cls in classes for name, method in cls.own.items() if name == target.ir.name]
        return [*closure(self.program, [target, *named]).values()]
