"""Barriers of a known size, and how many threads come to them: only where both numbers are certain."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from racelint.knowledge.threads import Starter
from racelint.model.summary import ELEMENT, AnyNode, Branch, Call, Loop, Path, Try
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.counts import runs_of
from racelint.program.linked.numbers import Assumption, number, number_of_value
from racelint.program.linked.processes import Child, Origin, Origins, callers_of, closure, reached_by
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.threads.roots import spawn_at

_BARRIERS = frozenset({"threading.Barrier", "multiprocessing.Barrier"})
_ENDING = frozenset({"abort", "reset"})
_TRIED = (3, 4, 8)
"""Sizes that are tried where only a caller knows the size."""


class Comer(msgspec.Struct, frozen=True):
    """A start of threads that come to the barrier: how many, and how often each waits (None: in a loop)."""

    function: FunctionInfo
    call: Call
    threads: int
    waits: int | None


class Barrier(msgspec.Struct):
    """A barrier made by `call`, its parties, and who comes."""

    function: FunctionInfo
    call: Call
    parties: int
    path: Path
    waits: list[tuple[FunctionInfo, Call]] = []
    comers: list[Comer] = []
    main: bool = False
    sized: bool = True
    """Whether its size is known, and not only by how much it differs from the number of threads."""

    @property
    def threads(self) -> int:
        return sum(comer.threads for comer in self.comers) + self.main


class Barriers:
    """All barriers of the program whose users can be counted."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.origins = Origins(program)
        self._assumed: Assumption | None = None

    def mismatched(self) -> Iterator[Barrier]:
        """In source order."""
        for function, call in self.program.callees.calls(names=_BARRIERS):
            barrier = self._off(call, function) or self._off_whatever_size(call, function)
            if barrier is not None:
                yield barrier

    def _off(self, call: Call, function: FunctionInfo) -> Barrier | None:
        parties = self._parties(call, function)
        if parties is None or parties <= 0:
            return None
        barrier = self._counted(Barrier(function, call, parties, self._stored(call, function)))
        return barrier if barrier is not None and self._is_off(barrier) else None

    def _off_whatever_size(self, call: Call, function: FunctionInfo) -> Barrier | None:
        """`Barrier(n + 1)` where n threads come: tried with several n, of one parameter that nobody knows."""
        found: list[Barrier] = []
        try:
            for size in _TRIED:
                self._assumed = Assumption(size)
                barrier = self._off(call, function)
                if barrier is None or len(self._assumed.unknown) != 1:
                    return None
                found.append(barrier)
        finally:
            self._assumed = None
        if len({barrier.parties - barrier.threads for barrier in found}) > 1:
            return None
        found[0].sized = len({barrier.parties for barrier in found}) == 1
        return found[0]

    def _parties(self, call: Call, function: FunctionInfo) -> int | None:
        given = {argument.name or str(position): argument for position, argument in enumerate(call.args)}
        if "timeout" in given or "2" in given:
            return None
        size = given.get("parties") or given.get("0")
        if size is None:
            return None
        if size.number:
            return number(self.program, size.number, function, assumed=self._assumed)
        return number_of_value(self.program, size.value, function, assumed=self._assumed)

    def _stored(self, call: Call, function: FunctionInfo) -> Path:
        made: Path = (f"c:{call.id}",)
        for access in self.program.stores.facts[function.id].accesses:
            if access.kind == "write" and made in access.value and access.path[-1] != ELEMENT:
                return access.path
        return made

    def _counted(self, barrier: Barrier) -> Barrier | None:
        """Fill in who waits; None where that is not certain."""
        mine = self._identities(barrier)
        if mine is None:
            return None
        for function, call, path in self._calls_on_barriers:
            if not self.origins.of(path[:-1], function) & mine:
                continue
            if path[-1] in _ENDING or call.args or not _is_certain(function, call.id):
                return None
            barrier.waits.append((function, call))
        direct = self._direct(mine)
        if self._escapes(mine, direct) or not self._gather(barrier, mine, direct):
            return None
        return barrier

    def _identities(self, barrier: Barrier) -> set[Origin] | None:
        """What the barrier is known as; None where it is put where it cannot be followed."""
        made: Path = (f"c:{barrier.call.id}",)
        found: set[Origin] = {(barrier.function.id, *made)}
        for access in self.program.stores.facts[barrier.function.id].accesses:
            if access.kind == "write" and made in access.value:
                if access.path[0].startswith("v:"):
                    continue
                location = self.program.locations.of(access.path, barrier.function)
                if location is None or location.content or len(self._stores(location.owner, location.fields[0])) > 1:
                    return None
                found.add((location.kind, location.owner, *location.fields))
        return found

    def _stores(self, owner: str, name: str) -> list[object]:
        stores = self.program.stores
        return [*stores.variables.get((owner, name), []), *stores.attributes.get((owner, name), [])]

    @cached_property
    def _calls_on_barriers(self) -> list[tuple[FunctionInfo, Call, Path]]:
        found = []
        for function, call in self.program.callees.written("wait", *_ENDING):
            path = call.func[0]
            if len(path) > 1 and (path[-1] == "wait" or path[-1] in _ENDING):
                found.append((function, call, path))
        return found

    @cached_property
    def _spawns(self) -> list[tuple[FunctionInfo, Call, Starter, Path, bool]]:
        """Every start of something that ends in `wait`, and whether it is seen to be started."""
        program = self.program
        found = []
        for function in program.index.functions:
            for call in program.stores.facts[function.id].calls:
                if not any(path[-1] == "wait" for argument in call.args for path in argument.value):
                    continue
                spawn = spawn_at(call, function, program.index, program.stores, program.types, program.calls)
                if spawn is not None:
                    for path in spawn.target[:1]:
                        if path[-1] == "wait" and len(path) > 1:
                            found.append((function, call, spawn.starter, path, bool(spawn.starts)))
        return found

    def _direct(self, mine: set[Origin]) -> list[tuple[FunctionInfo, Call, Starter, bool]]:
        return [
            (function, call, starter, started)
            for function, call, starter, path, started in self._spawns
            if self.origins.of(path[:-1], function) & mine
        ]

    def _escapes(self, mine: set[Origin], direct: list[tuple[FunctionInfo, Call, Starter, bool]]) -> bool:
        """Whether something unknown gets the barrier or its `wait`."""
        program = self.program
        known = {(function.id, call.id) for function, call, _, _ in direct}
        for function in program.index.functions:
            facts = program.stores.facts[function.id]
            given = [(a.value, call) for call in facts.calls for a in call.args]
            for value, call in given:
                for path in value:
                    bare = path[:-1] if path[-1] == "wait" and len(path) > 1 else path
                    if (function.id, call.id) in known or not self._may_be(bare, function, mine):
                        continue
                    if not self._is_followed(call, function):
                        return True
            if any(self._may_be(path, function, mine) for node in facts.returns for path in node.value):
                return True
        return False

    def _is_followed(self, call: Call, function: FunctionInfo) -> bool:
        """A call of the program's own functions, or the start of a thread."""
        program = self.program
        if any(site.event == call.id for site in program.calls.outgoing[function.id]):
            return True
        return spawn_at(call, function, program.index, program.stores, program.types, program.calls) is not None

    def _may_be(self, path: Path, function: FunctionInfo, mine: set[Origin]) -> bool:
        if path[0].startswith(("k:", "v:", "fn:", "cls:")) or len(path) > 3:
            return False
        return bool(self.origins.of(path, function) & mine)

    def _gather(
        self, barrier: Barrier, identities: set[Origin], direct: list[tuple[FunctionInfo, Call, Starter, bool]]
    ) -> bool:
        """Count the threads; False where a number is not certain."""
        program = self.program
        waiting = {function.id for function, _ in barrier.waits}
        homes = {barrier.function.id: barrier.function}
        covered: set[str] = set()
        pools: dict[Path, int] = {}
        for root in program.roots:
            run = self._runs[root.id]
            if not waiting & run.functions.keys():
                continue
            covered |= run.functions.keys()
            mine = [
                (function, call)
                for function, call in barrier.waits
                if function.id in run.functions and self.origins.of(call.func[0][:-1], function, run) & identities
            ]
            if not mine:
                continue
            if root.site_function is None or root.site is None or not root.starts:
                return False
            waits = self._waits_of(mine)
            if not self._add(barrier, root.site_function, root.site, root.kind == "pool", waits, pools):
                return False
            homes[root.site_function.id] = root.site_function
        for function, call, starter, started in direct:
            if not started or not self._add(barrier, function, call, starter.kind == "pool", 1, pools):
                return False
            homes[function.id] = function
        leading = [f for home in homes.values() for f in callers_of(program, home).values()]
        by_main = closure(program, leading)
        barrier.main = bool(waiting & by_main.keys())
        return bool(barrier.comers) and not waiting - by_main.keys() - covered

    @cached_property
    def _runs(self) -> dict[str, Child]:
        return {root.id: reached_by(self.program, root) for root in self.program.roots}

    @staticmethod
    def _waits_of(mine: list[tuple[FunctionInfo, Call]]) -> int | None:
        """How often a thread waits; None where that is not one certain number."""
        looped = any(isinstance(n, Loop) for f, call in mine for n in enclosing(place_of(f, call.id)))
        return None if looped or len({function.id for function, _ in mine}) > 1 else len(mine)

    def _add(
        self,
        barrier: Barrier,
        function: FunctionInfo,
        call: Call,
        in_pool: bool,
        waits: int | None,
        pools: dict[Path, int],
    ) -> bool:
        if any("map" in path[-1] for path in call.func):
            most = self._workers(call, function)  # of however many tasks, no more than that wait at once
            if most is None or most >= barrier.parties:
                return False
            barrier.comers.append(Comer(function, call, most, None))
            return True
        threads = runs_of(self.program, function, call.id, barrier.function, assumed=self._assumed)
        if threads is None:
            return False
        if in_pool:
            workers = self._workers(call, function)
            tasks = pools.get(call.func[0][:-1], 0)
            pools[call.func[0][:-1]] = tasks + threads
            if workers is not None:
                threads = max(0, min(threads, workers - tasks))
            elif tasks + threads >= barrier.parties:
                return False
        barrier.comers.append(Comer(function, call, threads, waits))
        return True

    def _workers(self, call: Call, function: FunctionInfo) -> int | None:
        pool = call.func[0][:-1]
        made = self.program.stores.facts[function.id].made_by(pool)
        for position, argument in enumerate(made.args if made is not None else ()):
            if argument.name in ("max_workers", "processes") or (not argument.name and position == 0):
                return number_of_value(self.program, argument.value, function)
        return None

    @staticmethod
    def _is_off(barrier: Barrier) -> bool:
        """Too few ever to open it, or some left over when all have waited."""
        if barrier.threads < barrier.parties:
            return True
        waits = [comer.waits for comer in barrier.comers]
        if barrier.main or None in waits or barrier.threads == barrier.parties:
            return False
        total = sum(comer.threads * (comer.waits or 0) for comer in barrier.comers)
        return total % barrier.parties != 0


def _is_certain(function: FunctionInfo, event: int) -> bool:
    """Not in a branch (but that of the main guard) nor in a handler."""
    places = place_of(function, event)
    for place in places:
        node: AnyNode | None = place.node
        if isinstance(node, Branch) and node.constant != "main":
            return False
        if isinstance(node, Try) and place.block is not node.body and place.block is not node.final:
            return False
    return bool(places)
