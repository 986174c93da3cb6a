"""What a run of a function comes to, the functions it calls included: locks it takes, calls that block.

Facts of single functions are carried up the call graph, one call at a time, so that the chain kept for each is a
shortest one. On the way, access paths are substituted (as Infer's RacerD does with summaries), and a fact that hangs on
a parameter is dropped where the caller passes the opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import msgspec

from racelint.model.summary import Argument, Call, Loop, Path, With
from racelint.program.calling.calls import CallSite, bind
from racelint.program.flow.values import nodes_of
from racelint.program.flow.ways import Given, Way, Ways, truth_of
from racelint.program.linked.implicit_calls import implicit_calls
from racelint.program.linker import Program
from racelint.program.locking.substitution import Owner, substituted
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.partials import partial_at
from racelint.program.objects.things import Bound, Instance

_MAX_CALLS = 8
_MAX_FACTS = 60
_WAITING_FOR = frozenset({"asyncio.gather", "asyncio.shield"})
"""What waits for the coroutines that it is given, as long as they take."""


class HasKey(Protocol):
    """A fact; of two with one key the one nearer by is enough."""

    @property
    def key(self) -> Hashable: ...


Fact = TypeVar("Fact", bound=HasKey)


class Reached(msgspec.Struct, Generic[Fact], frozen=True):
    """A fact of this function (no `chain`) or of one that it comes to by `chain`, outermost call first.

    `owner` is what the fact's lock hangs from, `given` what parameters must hold, `certain` whether every way through
    all of them comes there.
    """

    fact: Fact
    owner: Owner
    chain: tuple[CallSite, ...] = ()
    certain: bool = True
    given: Given = frozenset()

    @property
    def key(self) -> tuple[Hashable, Owner, Given]:
        return (self.fact.key, self.owner, self.given)


class Callback(msgspec.Struct, frozen=True):
    """The call at `site` passes a function, which the callee runs by `call`: for the caller it is as if by `run`."""

    site: CallSite
    call: Call
    run: CallSite


class Running:
    """Which calls run a function now, in this thread: what every fact is carried along."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._ways: dict[str, Ways] = {}
        self._iterated: dict[str, frozenset[int]] = {}
        self._gathered: dict[str, frozenset[int]] = {}
        self._given: dict[str, list[Call]] = {}
        self._outgoing: dict[str, list[CallSite]] = {}
        self._callbacks: dict[str, list[Callback]] = {}
        self._positions = {function: position for position, function in enumerate(program.index.functions)}

    def outgoing(self, function: FunctionInfo) -> list[CallSite]:
        """What a run of the function runs by calls of its own."""
        known = self._outgoing.get(function.id)
        if known is None:
            known = self._outgoing[function.id] = list(self._sites(function))
        return known

    def callbacks(self, function: FunctionInfo) -> list[Callback]:
        """The functions that it hands to others, which run them."""
        self.outgoing(function)
        return self._callbacks.get(function.id, [])

    def below(self, functions: Iterable[FunctionInfo], besides: Iterable[CallSite] = ()) -> list[FunctionInfo]:
        """The functions and all that they run, by `besides` too, through any number of calls, in source order."""
        more: dict[str, list[FunctionInfo]] = {}
        for site in besides:
            more.setdefault(site.caller.id, []).append(site.callee)
        found = {function.id: function for function in functions}
        pending = list(found.values())
        while pending:
            function = pending.pop()
            for callee in (*(site.callee for site in self.outgoing(function)), *more.get(function.id, ())):
                if callee.id not in found:
                    found[callee.id] = callee
                    pending.append(callee)
        return sorted(found.values(), key=self._positions.__getitem__)

    def way(self, function: FunctionInfo, event: int) -> Way:
        ways = self._ways.get(function.id)
        if ways is None:
            ways = self._ways[function.id] = Ways(function, self.program.stores.facts[function.id])
        return ways.of(event)

    def _sites(self, function: FunctionInfo) -> Iterator[CallSite]:
        for site in self.program.calls.outgoing[function.id]:
            if not site.weak and self._runs(site) and self._fits(site):
                yield site
                for callback in self._called_back(site):
                    self._callbacks.setdefault(function.id, []).append(callback)
                    yield callback.run
        for node in self.program.stores.facts[function.id].withs:
            yield from self._entered(node, function)
        yield from (site for site in implicit_calls(self.program, function) if self._is_plain(site.callee))

    @staticmethod
    def _is_plain(callee: FunctionInfo) -> bool:
        return not callee.ir.is_generator and not callee.ir.is_async

    def _entered(self, node: With, function: FunctionInfo) -> Iterator[CallSite]:
        """The `__enter__` of an object of the program."""
        for path in node.item.value[:1]:
            for thing in self.program.types.of(path, function):
                enter = thing.cls.method("__enter__") if isinstance(thing, Instance) else None
                if enter is not None and not node.is_async:
                    yield CallSite(function, node.id, enter, path, {}, False)

    def _runs(self, site: CallSite) -> bool:
        """A coroutine runs where it is awaited, a generator where it is iterated or entered."""
        callee = site.callee.ir
        if site.callee.is_contextmanager or callee.is_generator:
            return site.event in self._iterations(site.caller)
        call = self.program.stores.facts[site.caller.id].call(site.event)
        by_parameter = call is not None and call.func and len(call.func[0]) == 1 and call.func[0][0][:2] in ("p:", "f:")
        if by_parameter or not callee.is_async:
            return not by_parameter
        return site.awaited or site.caller.ir.kind == "lambda" or site.event in self._gathered_in(site.caller)

    def _gathered_in(self, function: FunctionInfo) -> frozenset[int]:
        """Calls whose coroutines are awaited with others: `await gather(f(), g())`."""
        if function.id not in self._gathered:
            found: set[int] = set()
            for named in self.program.callees.outside(function):
                if named.call.awaited and named.dotted in _WAITING_FOR:
                    values = [path for argument in named.call.args for path in argument.value]
                    found |= {int(path[0][2:]) for path in values if len(path) == 1 and path[0].startswith("c:")}
            self._gathered[function.id] = frozenset(found)
        return self._gathered[function.id]

    def _iterations(self, function: FunctionInfo) -> frozenset[int]:
        if function.id not in self._iterated:
            values: list[tuple[Path, ...]] = []
            for node in nodes_of(function.ir.body):
                if type(node) is Loop:
                    values.append(node.iterates)
                elif type(node) is With:
                    values.append(node.item.value)
            found = {int(path[0][2:]) for value in values for path in value if path[0].startswith("c:")}
            self._iterated[function.id] = frozenset(found)
        return self._iterated[function.id]

    @staticmethod
    def _fits(site: CallSite) -> bool:
        """`self.hook()` never runs the override of a class that is no relative of this one's."""
        mine, theirs = site.caller.cls, site.callee.cls
        if mine is None or theirs is None or site.receiver != (f"p:{site.caller.self_name}",):
            return True
        return theirs in mine.mro or mine in theirs.mro

    def _called_back(self, site: CallSite) -> Iterator[Callback]:
        """Functions passed for parameters that the callee calls."""
        for call in self._parameters_called(site.callee):
            for path in site.bindings.get(call.func[0][0][2:], ()):
                path, given = self._unwrapped(path, site.caller)
                for thing in self.program.types.of(path, site.caller):
                    if isinstance(thing, Bound) and not thing.function.ir.is_async:
                        named = thing.bound and len(path) > 1 and path[-1] == thing.function.ir.name
                        bindings = bind(thing.function, given, bound=thing.bound, skipped=thing.skipped)
                        receiver = path[:-1] if named else None
                        run = CallSite(site.caller, site.event, thing.function, receiver, bindings, False)
                        yield Callback(site, call, run)

    def _parameters_called(self, function: FunctionInfo) -> list[Call]:
        """The calls of what the function was given."""
        known = self._given.get(function.id)
        if known is None:
            calls = (call for call in self.program.stores.facts[function.id].calls if call.func)
            known = [call for call in calls if len(call.func[0]) == 1 and call.func[0][0].startswith("p:")]
            self._given[function.id] = known
        return known

    def _unwrapped(self, path: Path, function: FunctionInfo) -> tuple[Path, tuple[Argument, ...]]:
        """The function inside of `functools.partial(function, …)`, and what it is given there."""
        call = partial_at(path, function, self.program.stores, self.program.types)
        if call is not None and len(call.args[0].value) == 1:
            return call.args[0].value[0], call.args[1:]
        return path, ()

    def carried(self, found: Reached[Fact], site: CallSite) -> Reached[Fact] | None:
        """What a fact of the callee is to the caller; None where the call does not come to it."""
        given = set()
        for name, wanted in found.given:
            truth, passed_on = passed(name, site)
            if truth is not None and truth != wanted:
                return None
            if passed_on:
                given.add((passed_on, wanted))
        way = self.way(site.caller, site.event)
        return Reached(
            found.fact,
            substituted(found.owner, site, self.program.index),
            (site, *found.chain),
            found.certain and way.certain and not found.given,
            way.given.union(given),
        )


def passed(name: str, site: CallSite) -> tuple[bool | None, str]:
    """Whether what the call passes for a parameter is true, and the caller's own parameter if it is that."""
    value = site.bindings.get(name)
    if value is None:
        param = next((param for param in site.callee.ir.params if param.name == name), None)
        call_is_known = param is not None and param.has_default
        return (truth_of(param.default) if param is not None and call_is_known else None), ""
    if len(value) == 1 and len(value[0]) == 1 and value[0][0].startswith("p:"):
        return None, value[0][0][2:]
    return truth_of(value), ""


def reached(
    running: Running,
    asked: Iterable[FunctionInfo],
    own: Callable[[FunctionInfo], Sequence[Reached[Fact]]],
    dropped: Callable[[Reached[Fact], CallSite], bool] = lambda entry, site: False,
    besides: Sequence[CallSite] = (),
) -> dict[str, list[Reached[Fact]]]:
    """All that each of the functions asked about, and of those that they run, comes to, by its id, the nearest first.

    `own` gives the facts of a single function, `dropped` says what a call site keeps from its caller. `besides`: more
    calls that run a function.
    """
    below = running.below(asked, besides)
    incoming: dict[str, list[CallSite]] = {}
    for site in (*(site for function in below for site in running.outgoing(function)), *besides):
        incoming.setdefault(site.callee.id, []).append(site)
    found = {function.id: list(own(function)) for function in below}
    seen = {name: {entry.key for entry in entries} for name, entries in found.items()}
    fresh: Iterable[tuple[str, Reached[Fact]]] = [(name, entry) for name in sorted(found) for entry in found[name]]
    for _ in range(_MAX_CALLS):
        following = []
        for name, entry in fresh:
            for site in incoming.get(name, ()):
                caller = site.caller.id
                known = seen.get(caller)
                if known is None or len(known) >= _MAX_FACTS or dropped(entry, site):
                    continue
                carried = running.carried(entry, site)
                if carried is None or carried.key in known:
                    continue
                known.add(carried.key)
                found[caller].append(carried)
                following.append((caller, carried))
        fresh = following
    return found
