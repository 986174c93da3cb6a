"""The way down the call graph: from where threads and users enter to the contexts of all that is called from there.

Contexts are found level by level, so that of many the shortest ways are known. What was found once is kept: more is
found from there, in the order that one descent for everything would have found it in.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from racelint.program.calling.calls import CallSite
from racelint.program.flow.ways import Given
from racelint.program.locking.locks import Lock
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.anchors import Anchor
from racelint.program.objects.locations import Location
from racelint.program.threads.context import Context

_MAX_CONTEXTS = 12
_Rank = tuple[Any, ...]
"""A place among those of one level: the caller's and the number of the call there, that of an entry's function."""


class State(msgspec.Struct, frozen=True, eq=False):
    """What a context hands down, one object for each that is different; the fields are those of `Context`."""

    held: frozenset[Lock]
    perhaps: bool
    owned: frozenset[str]
    private: frozenset[str]
    public: bool
    anchors: tuple[tuple[str, Anchor], ...]
    self_class: ClassInfo | None
    switches: Given


class Step(msgspec.Struct, frozen=True, eq=False):
    """A call site on the way down. `handed`: what it runs hangs on how the caller came to run."""

    site: CallSite
    callee: str
    """The function's id."""
    handed: bool
    own: bool
    """The callee's object is the caller's own."""
    taken: frozenset[Lock]
    """The locks that the caller itself has certainly taken by then."""
    dropped: frozenset[Location]
    """Those that it has given back."""
    unsure: bool
    """It may have taken more."""
    around: frozenset[Lock]
    """Those that a decorator takes around the callee."""
    later: bool
    """The callee is a generator, which runs when it is iterated over."""
    switched: bool
    """The callee has parameters that switch something on or off."""
    after: dict[State, State | None] = {}
    """The callee's state for each of the caller's; None where that caller does not get there."""
    given: dict[tuple[frozenset[str], frozenset[str]], tuple[frozenset[str], frozenset[str]]] = {}
    """What the callee owns and has for itself, by what the caller has."""
    anchors: dict[tuple[tuple[str, Anchor], ...], tuple[tuple[str, Anchor], ...]] = {}
    """The anchors of the callee's parameters, by those of the caller's."""


class Entry(msgspec.Struct, frozen=True):
    """A context that nobody of the program calls, and its place among all."""

    rank: _Rank
    context: Context


class _Met(msgspec.Struct, frozen=True):
    """A context with what it hands down, `depth` calls below where it was entered."""

    context: Context
    state: State
    depth: int
    rank: _Rank


class _Way(msgspec.Struct, frozen=True):
    """Into a context: an entry itself (`site` None), or by a call out of the context."""

    rank: _Rank
    context: Context
    site: CallSite | None
    state: State


class Descent:
    """Contexts by function, in the order in which they are found."""

    def __init__(
        self,
        steps_of: Callable[[FunctionInfo], Sequence[Step]],
        called: Callable[[Context, Step], State | None],
        runs: Callable[[Context, CallSite], bool],
    ) -> None:
        self._steps_of = steps_of
        self._called = called
        self._runs = runs
        self._states: dict[tuple[object, ...], State] = {}
        self._met: dict[str, list[_Met]] = {}

    def state(self, *parts: object) -> State:
        """The one object with these fields."""
        known = self._states.get(parts)
        if known is None:
            known = self._states[parts] = State(*parts)  # type: ignore[arg-type]
        return known

    def below(self, context: Context) -> Mapping[str, list[_Met]]:
        """All that follows from one context."""
        found: dict[str, list[_Met]] = {}
        self._go_down([self._entered(Entry((), context))], {}, found, None)
        return found

    def extend(
        self, entries: Iterable[Entry], fresh: Collection[str], around: Iterable[FunctionInfo]
    ) -> Mapping[str, list[_Met]]:
        """Find the contexts of functions, by id, which are all that is `fresh` of what leads to any of them.

        `around` are the functions known before that call one of them.
        """
        found: dict[str, list[_Met]] = {}
        joining: dict[int, list[_Way]] = {}
        for function in around:
            for met in self._met.get(function.id, ()):
                ways = joining.setdefault(met.depth + 1, [])
                for number, step in enumerate(self._steps_of(function)):
                    if step.callee in fresh:
                        after = self._after(met.context, met.state, step)
                        if after is not None:
                            ways.append(_Way((met.rank, number), met.context, step.site, after))
        self._go_down([self._entered(entry) for entry in entries], joining, found, fresh)
        self._met.update(found)
        return found

    def _entered(self, entry: Entry) -> _Way:
        c = entry.context
        parts = (c.held, c.perhaps, c.owned, c.private, c.public, c.anchors, c.self_class, c.switches)
        return _Way(entry.rank, c, None, self.state(*parts))

    def _go_down(
        self,
        level: list[_Way],
        joining: dict[int, list[_Way]],
        found: dict[str, list[_Met]],
        fresh: Collection[str] | None,
    ) -> None:
        """Add what follows from one level to `found`, of the functions that are `fresh` alone; None stands for all."""
        seen: dict[str, set[tuple[State, bool]]] = {}
        leading: dict[str, list[tuple[int, Step]]] = {}
        """By function: the steps that are followed."""
        depth = 0
        while level or joining:
            below: list[_Way] = []
            coming: dict[str, set[State]] = {}
            """By callee: what is to come with the next level and is not known yet."""
            for way in level:
                context, site, state = way.context, way.site, way.state
                function = context.function if site is None else site.callee
                known = seen.get(function.id)
                if known is None:
                    known = seen[function.id] = set()
                    found[function.id] = []
                    steps = enumerate(self._steps_of(function))
                    leading[function.id] = [each for each in steps if fresh is None or each[1].callee in fresh]
                if (state, site is None) in known or len(known) >= _MAX_CONTEXTS:
                    continue
                known.add((state, site is None))
                if site is not None:
                    context = _inside(context, site, state)
                    if function.id in coming:
                        coming[function.id].discard(state)
                found[function.id].append(_Met(context, state, depth, way.rank))
                for number, step in leading[function.id]:
                    others = seen.get(step.callee, ())
                    before = coming.get(step.callee, ())
                    if len(others) + len(before) >= _MAX_CONTEXTS:
                        continue
                    after = self._after(context, state, step)
                    if after is not None and after not in before and (after, False) not in others:
                        coming.setdefault(step.callee, set()).add(after)
                        below.append(_Way((way.rank, number), context, step.site, after))
            depth += 1
            level = below
            if depth in joining:
                level = sorted(level + joining.pop(depth), key=lambda way: way.rank)

    def _after(self, context: Context, state: State, step: Step) -> State | None:
        """What the step hands on; None where this context does not take it."""
        if step.handed and not self._runs(context, step.site):
            return None
        if state not in step.after:
            step.after[state] = self._called(context, step)
        return step.after[state]


def _inside(context: Context, site: CallSite, state: State) -> Context:
    return Context(
        site.callee,
        context.root,
        state.held,
        state.perhaps,
        state.owned,
        state.private,
        context,
        site.event,
        state.public,
        state.anchors,
        state.self_class,
        state.switches,
        context.origin or context,
    )
