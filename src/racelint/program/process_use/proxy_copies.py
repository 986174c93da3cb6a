"""Changes of what a manager's container gave out: a copy, which the manager never hears of again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from racelint.knowledge.containers import MUTATING_METHODS
from racelint.knowledge.processes import PROXIES
from racelint.model.summary import ELEMENT, Access, Call, Path, Span, Value
from racelint.program.flow.values import FunctionFacts
from racelint.program.linked.makers import makers
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.things import Constant, Object, Thing

_GIVING = frozenset({"get", "setdefault"})
_LITERAL = tuple("'\"0123456789")
"""What a key begins with that is written out."""


class ProxyCopy(msgspec.Struct, frozen=True):
    """At `span` an element of the proxy at `base` is changed; `known`: it is seen to be no proxy itself."""

    function: FunctionInfo
    span: Span
    base: Path
    element: Path
    known: bool


class ProxyCopies:
    """All changes of such copies that are not put back."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[ProxyCopy]:
        """In source order."""
        mutating = self.program.callees.by_function(words=MUTATING_METHODS)
        for function in self.program.index.functions:
            facts = self.program.stores.facts[function.id]
            for event, span, element in self._changes((*mutating.get(function, ()), *facts.changes)):
                base = self._proxy(element, function, facts)
                if base is None or self._is_put_back(base, element, event, self._key(element, event, facts), facts):
                    continue
                things = self._elements(base, element, function)
                if not any(isinstance(t, Object) and t.dotted in PROXIES for t in things):
                    yield ProxyCopy(function, span, base, element, bool(things))

    @staticmethod
    def _changes(events: Iterable[Access | Call]) -> Iterator[tuple[int, Span, Path]]:
        """The events that change a part of an object in place, with the path of the object."""
        for event in sorted(events, key=lambda event: event.id):
            if type(event) is Call:
                for path in event.func[:1]:
                    if path[-1] in MUTATING_METHODS and _may_be_given(path[:-1]):
                        yield event.id, event.span, path[:-1]
            elif _may_be_given(event.path[:-1]):
                yield event.id, event.span, event.path[:-1]

    def _proxy(self, element: Path, function: FunctionInfo, facts: FunctionFacts) -> Path | None:
        """The proxy that gave out `element`, or an object around it; None where none did."""
        for length in range(len(element) - 1, 0, -1):
            base, field = element[:length], element[length]
            if self._is_proxy(base, function, field):
                return base
        made = facts.made_by(element)
        for path in made.func[:1] if made is not None else ():
            if len(path) > 1 and path[-1] in _GIVING and self._is_proxy(path[:-1], function, ELEMENT):
                return path[:-1]
        return None

    def _is_proxy(self, base: Path, function: FunctionInfo, field: str) -> bool:
        things = [t for t in self.program.types.of(base, function) if not isinstance(t, Constant)]
        return bool(things) and all(
            isinstance(t, Object) and t.dotted in PROXIES and (field == ELEMENT) != t.dotted.endswith("NamespaceProxy")
            for t in things
        )

    def _elements(self, base: Path, element: Path, function: FunctionInfo) -> list[Thing]:
        """What is seen to be stored there, here and where the proxy was made."""
        things = [*self.program.types.of(element, function)]
        for made in makers(self.program, base, function):
            held = (f"c:{made.call.id}", ELEMENT)
            for access in self.program.stores.facts[made.function.id].accesses:
                if access.kind == "write" and access.path == held:
                    things.extend(self.program.types.of_value(access.value, made.function))
            for argument in made.call.args:
                below = () if argument.name else (ELEMENT,)
                for path in argument.value:
                    things.extend(self.program.types.of((*path, *below), made.function))
        return [thing for thing in things if not isinstance(thing, Constant)]

    @staticmethod
    def _key(element: Path, event: int, facts: FunctionFacts) -> str:
        """The key that the element was read under, where it is written out; empty for any other."""
        reads = [a.key for a in facts.accesses if a.kind == "read" and a.path == element and a.id < event]
        return reads[-1] if reads and reads[-1][:1] in _LITERAL else ""

    @staticmethod
    def _is_put_back(base: Path, element: Path, event: int, key: str, facts: FunctionFacts) -> bool:
        """The copy is stored again afterwards, or was taken to be worked on here: returned or passed on."""
        for later in facts.events.values():
            other = bool(key) and later.key[:1] in _LITERAL and later.key != key
            if isinstance(later, Access):
                stored = later.kind == "write" and later.path[:-1] == base and not other
                if later.id > event and (stored or (later.kind == "write" and element in later.value)):
                    return True
            elif later.id != event:
                again = any(path[:-1] == base and path[-1] in MUTATING_METHODS for path in later.func) and not other
                passed = any(_is_copy(element, event, a.value, a.deps, facts) for a in later.args)
                if later.id > event and (again or passed):
                    return True
        return any(_is_copy(element, event, node.value, node.deps, facts) for node in facts.returns)


def _is_copy(element: Path, event: int, value: Value, deps: tuple[int, ...], facts: FunctionFacts) -> bool:
    """Whether `value` is the copy that was changed at `event`, and not what the proxy gives out when asked again."""
    reads = (facts.events.get(dep) for dep in deps if dep > event)
    again = any(isinstance(read, Access) and read.path == element for read in reads)
    return element in value and not again


def _may_be_given(element: Path) -> bool:
    """Whether the path is a part of something, or the answer of a call."""
    return len(element) > 1 or (len(element) == 1 and element[0].startswith("c:"))
