"""How processes come to be: forked, spawned, or forked by a server that has no threads."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from racelint.model.summary import Call, Value
from racelint.program.linked.makers import calls_of, makers
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo

StartMethod = Literal["fork", "spawn", "forkserver", "default"]
_NAMES: tuple[StartMethod, ...] = ("fork", "spawn", "forkserver")
_MAX_DEPTH = 2


class StartMethods:
    """Answers for the calls that make a process, a pool or an executor of processes."""

    def __init__(self, program: Program) -> None:
        self.program = program

    @cached_property
    def chosen(self) -> StartMethod:
        """What the program sets for all its processes."""
        for made in calls_of(self.program, "multiprocessing.set_start_method"):
            named = _named(made.call.args[0].value) if made.call.args else "default"
            if named != "default":
                return named
        return "default"

    def of(self, call: Call, function: FunctionInfo) -> StartMethod:
        """The start method of what `call` makes: by its context, or that of its pool, else what the program sets."""
        return self._told(call, function) or self.chosen

    def _told(self, call: Call, function: FunctionInfo, depth: int = 0) -> StartMethod | None:
        """By the context that the call is a method of, the pool that was made with it, or an argument."""
        for path in call.func[:1]:
            for made in makers(self.program, path[:-1], function) if len(path) > 1 and depth < _MAX_DEPTH else ():
                named = self._of_context(made.call, made.function)
                if named == "default":
                    named = self._told(made.call, made.function, depth + 1) or "default"
                if named != "default":
                    return named
        return self._given(call, function)

    def _given(self, call: Call, function: FunctionInfo) -> StartMethod | None:
        """That of the context which is passed; None where none is."""
        for argument in call.args:
            if argument.name in ("mp_context", "context"):
                for path in argument.value:
                    for made in makers(self.program, path, function):
                        return self._of_context(made.call, made.function)
        return None

    def _of_context(self, call: Call, function: FunctionInfo) -> StartMethod:
        for thing in self.program.types.of_value(call.func, function):
            if isinstance(thing, External) and thing.dotted == "multiprocessing.get_context":
                return _named(call.args[0].value) if call.args else "default"
        return "default"


def _named(value: Value) -> StartMethod:
    for path in value:
        for name in _NAMES:
            if path[0].startswith("k:str:") and path[0][6:].strip("'\"") == name:
                return name
    return "default"
