"""Arrays in shared memory without a lock, filled by one process while another reads them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.processes import HANDSHAKES, UNLOCKED_ARRAYS, VIEWS
from racelint.model.summary import ELEMENT, WHOLE, Access, Call, Path, Span
from racelint.program.linked.makers import Maker, makers
from racelint.program.linked.processes import Child, Origin, Origins, Parent
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import loops_around
from racelint.program.process_use.shared_values import excludes, held_between_processes

_MAX_DEPTH = 3
_UNLOCKED = (("k:False",),)
_WHOLE = frozenset(
    f"g:{name}" for name in ("list", "tuple", "sum", "sorted", "min", "max", "bytes", "bytearray", "any")
)


class Touch(msgspec.Struct, frozen=True):
    """An access of elements; `child` is None where the starting process makes it."""

    function: FunctionInfo
    span: Span
    base: Path
    child: Child | None


class TornArray(msgspec.Struct, frozen=True):
    """`write` fills it, `read` may see it half filled."""

    write: Touch
    read: Touch


class UnlockedArrays:
    """All of them, each array once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.children = program.children
        self.origins = Origins(program)

    def found(self) -> Iterator[TornArray]:
        """In the order of the children."""
        seen: set[Origin] = set()
        for child in self.children:
            for origin, write in self._touches(child, writes=True):
                read = self._read_meanwhile(origin, child) if origin not in seen else None
                if read is not None:
                    seen.add(origin)
                    yield TornArray(write, read)

    def _touches(self, child: Child, *, writes: bool) -> Iterator[tuple[Origin, Touch]]:
        """Accesses of several elements by a process, no lock held, nothing said to others."""
        if any(self._shakes_hands(function) for function in child.functions.values()):
            return
        for function in child.functions.values():
            if not excludes(child.held[function.id]):
                for base, span in self._accesses(function, writes=writes):
                    for origin in sorted(self.origins.of_memory(base, function, child)):
                        yield origin, Touch(function, span, base, child)

    def _read_meanwhile(self, origin: Origin, writer: Child) -> Touch | None:
        """The starting process between start and join, or another child."""
        if writer.root.site_function is not None and writer.root.starts:
            parent = Parent(self.program, writer.root)
            if not self._shakes_hands(parent.home):
                for base, span in self._accesses(parent.home, writes=False, after=parent):
                    if origin in self.origins.of(base, parent.home):
                        return Touch(parent.home, span, base, None)
        for child in self.children:
            if child.root is not writer.root:
                for place, touch in self._touches(child, writes=False):
                    if place == origin:
                        return touch
        return None

    def _shakes_hands(self, function: FunctionInfo) -> bool:
        """Waits for others or tells them, which may order the accesses."""
        calls = self.program.stores.facts[function.id].calls
        return any(len(path) > 1 and path[-1] in HANDSHAKES for call in calls for path in call.func[:1])

    def _accesses(
        self, function: FunctionInfo, *, writes: bool, after: Parent | None = None
    ) -> Iterator[tuple[Path, Span]]:
        """Accesses of more than one element, with no lock held."""
        around = loops_around(function)
        found: dict[Path, list[Access]] = {}
        for access in self.program.stores.facts[function.id].accesses:
            kinds = ("write",) if writes else ("read", "iterate")
            base = access.path if access.kind == "iterate" else access.path[:-1]
            whole = access.kind == "iterate" or access.path[-1] == ELEMENT
            if access.kind not in kinds or not whole or not base or not self._is_during(access, after):
                continue
            base = self._viewed(base, function)
            if not self._is_own_slot(access, function) and self._is_unlocked(base, function):
                found.setdefault(base, []).append(access)
        if not writes:
            yield from self._taken_whole(function, after)
        for base, accesses in found.items():
            first = accesses[0]
            several = len({a.key for a in accesses}) > 1 or first.kind == "iterate" or first.key in ("", WHOLE)
            looped = any(access.id in around and not _is_number(access.key) for access in accesses)
            locked = any(held_between_processes(self.program, function, access.id) for access in accesses)
            if (several or looped) and not locked:
                yield base, first.span

    def _taken_whole(self, function: FunctionInfo, after: Parent | None) -> Iterator[tuple[Path, Span]]:
        """`list(array)`, `bytes(memory.buf)`: all elements, one by one."""
        for call in self.program.stores.facts[function.id].calls:
            whole = call.func[:1] and call.func[0][0] in _WHOLE and len(call.func[0]) == 1
            for path in call.args[0].value if whole and call.args and self._is_during(call, after) else ():
                base = self._viewed(path, function)
                if self._is_unlocked(base, function) and not held_between_processes(self.program, function, call.id):
                    yield base, call.span

    @staticmethod
    def _is_during(access: Access | Call, parent: Parent | None) -> bool:
        if parent is None:
            return True
        return access.id > parent.start and (not parent.joins or access.id < min(parent.joins))

    @staticmethod
    def _is_own_slot(access: Access, function: FunctionInfo) -> bool:
        """`array[index]` with the index passed in: each process is given one of its own."""
        return access.key != "" and any(param.name == access.key for param in function.ir.params)

    def _viewed(self, base: Path, function: FunctionInfo, depth: int = 0) -> Path:
        """The shared memory itself, where `base` is a view of it that is made here."""
        if len(base) > 1 and base[-1] == "buf":
            return base[:-1]
        call = self.program.stores.facts[function.id].made_by(base)
        for thing in self.program.types.of_value(call.func, function) if call is not None else ():
            if isinstance(thing, External) and thing.dotted in VIEWS and call is not None and depth < _MAX_DEPTH:
                named = [argument for argument in call.args if argument.name == "buffer"]
                for argument in (*named, *call.args[:1]):
                    for path in argument.value:
                        return self._viewed(path, function, depth + 1)
        return base

    def _is_unlocked(self, base: Path, function: FunctionInfo) -> bool:
        """Every maker gives an array without a lock."""
        made = list(makers(self.program, base, function))
        return bool(made) and all(self._makes_unlocked(maker) for maker in made)

    def _makes_unlocked(self, maker: Maker) -> bool:
        for thing in self.program.types.of_value(maker.call.func, maker.function):
            dotted = thing.dotted if isinstance(thing, External) else ""
            if dotted == "multiprocessing.Array":
                return any(a.name == "lock" and a.value == _UNLOCKED for a in maker.call.args)
            if dotted in UNLOCKED_ARRAYS:
                return True
        return False


def _is_number(key: str) -> bool:
    return key.lstrip("-").isdigit()
