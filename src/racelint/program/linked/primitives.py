"""Python's own locks and events, told from classes of the program and of libraries that do as they like."""

from __future__ import annotations

from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.model.summary import Argument, Call, Path
from racelint.program.linked.tenures import is_known
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Constant, Member, Object

_HOMES = frozenset({"threading", "_thread", "thread", "multiprocessing", "asyncio"})
_EVENTS = frozenset({"threading.Event", "multiprocessing.Event"})


def is_own_lock(program: Program, path: Path, function: FunctionInfo) -> bool:
    """A lock whose `acquire` answers, and whose `release` refuses what is not held (a semaphore counts instead).

    One by the user's word counts as such.
    """
    lock = program.locks.of(path, function)
    if lock is not None and lock.facts is not None and lock.facts.declared:
        return True
    return _all_in(program, path, function, {name for name in LOCK_FACTORIES if name.partition(".")[0] in _HOMES})


def is_event(program: Program, path: Path, function: FunctionInfo) -> bool:
    """An `Event` of threads or processes."""
    return _all_in(program, path, function, _EVENTS)


def _all_in(program: Program, path: Path, function: FunctionInfo, dotted: frozenset[str] | set[str]) -> bool:
    things = [thing for thing in program.types.of(path, function) if not isinstance(thing, Constant)]
    made = bool(things) and all(isinstance(thing, Object) and thing.dotted in dotted for thing in things)
    return made and is_known(program, path, function)


def is_member_of(program: Program, path: Path, function: FunctionInfo, dotted: frozenset[str]) -> bool:
    """A method, or another part, of an object of one of these classes, by all that is known of it."""
    things = program.types.of(path, function)
    return bool(things) and all(isinstance(thing, Member) and thing.dotted in dotted for thing in things)


def timeout_of(call: Call, position: int) -> Argument | None:
    """The timeout that a call gives, by name or at `position`; None where it gives none, or waits for ever."""
    plain = [argument for argument in call.args if not argument.name]
    named = [argument for argument in call.args if argument.name == "timeout"]
    given = [*named, *plain[position : position + 1]]
    if not given or given[0].value == (("k:None",),) or not (given[0].value or given[0].deps or given[0].number):
        return None  # `-1` has no value that is known
    return given[0]
