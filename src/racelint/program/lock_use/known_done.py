"""Waits that are over before they begin: of a future that was awaited, of a process that a poll has seen end."""

from __future__ import annotations

from collections.abc import Sequence

from racelint.model.summary import ELEMENT, Access, Call, Loop, Path, Suspend, Value
from racelint.program.flow.values import nodes_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.partials import partial_at
from racelint.program.objects.things import Bound


def is_known_done(program: Program, call: Call, function: FunctionInfo) -> bool:
    """Whether what `call` waits for has certainly come before, as far as the function itself tells."""
    path = call.func[0]
    if path[-1] in ("result", "exception"):
        return _is_asked(program, call, function) or _was_awaited(program, call, function)
    return path[-1] == "wait" and _was_polled(call, function)


def done_callbacks(program: Program) -> dict[str, str]:
    """By function id: the parameter in which `add_done_callback` gives the function a future, which is done then."""
    found: dict[str, str] = {}
    for function, call in program.callees.written("add_done_callback"):
        if call.func[0][-1] != "add_done_callback" or not call.args:
            continue
        for path in call.args[0].value:
            partial = partial_at(path, function, program.stores, program.types)
            for target in partial.args[0].value if partial is not None else (path,):
                for thing in program.types.of(target, function):
                    params = thing.function.ir.params if isinstance(thing, Bound) else ()
                    plain = [param.name for param in params if param.kind in ("plain", "positional")]
                    if isinstance(thing, Bound) and plain:
                        found[thing.function.id] = plain[-1]
    return found


def _is_asked(program: Program, call: Call, function: FunctionInfo) -> bool:
    """It was asked whether it is done, or was given what it answers, before."""
    done = {(*call.func[0][:-1], name) for name in ("done", "set_result", "set_exception")}
    return any(o.id < call.id and o.func and o.func[0] in done for o in program.stores.facts[function.id].calls)


def _was_awaited(program: Program, call: Call, function: FunctionInfo) -> bool:
    """The future, or all of those it is among, went into something that was awaited before."""
    facts = program.stores.facts[function.id]
    future = call.func[0][:-1]
    wanted = {future, future[:-1] if future[-1] == ELEMENT else future}
    for node in facts.nodes:
        if isinstance(node, Suspend) and node.kind == "await" and node.span < call.span:
            behind = _Behind(facts.events)
            behind.follow(node.value, node.deps)
            if wanted & behind.paths and not behind.may_end_early:
                return True
    return False


class _Behind:
    """What a value was made of, through the calls that made it."""

    def __init__(self, events: dict[int, Access | Call]) -> None:
        self.events = events
        self.paths: set[Path] = set()
        self.may_end_early = False
        """`asyncio.wait(…, timeout=1)` leaves some undone."""
        self._seen: set[int] = set()

    def follow(self, value: Value, deps: Sequence[int]) -> None:
        self.paths.update(value)
        made = (int(path[0][2:]) for path in value if path[0].startswith("c:"))
        for event in (self.events.get(number) for number in (*made, *deps)):
            if event is None or event.id in self._seen:
                continue
            self._seen.add(event.id)
            if isinstance(event, Access):
                self.paths.add(event.path)
                self.follow((), event.deps)
                continue
            if event.func and event.func[0][-1] in ("wait", "g:wait"):
                self.may_end_early |= any(argument.name in ("timeout", "return_when") for argument in event.args)
            self.follow((), event.deps)
            for argument in event.args:
                self.follow(argument.value, argument.deps)


def _was_polled(call: Call, function: FunctionInfo) -> bool:
    """A loop before it has ended only when `poll()` of the same process said something."""
    poll = (*call.func[0][:-1], "poll")
    for node in nodes_of(function.ir.body):
        if not isinstance(node, Loop) or node.kind != "while" or node.span[2:] > call.span[:2]:
            continue
        looked = node.body if node.infinite else node.head
        if any(isinstance(n, Call) and n.func and n.func[0] == poll for n in nodes_of(looked)):
            return True
    return False
