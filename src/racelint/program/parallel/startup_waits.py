"""Constructors that wait until their thread says that it has begun: `self._thread.start()`, `self._ready.wait()`."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.summary import Loop
from racelint.program.flow.walk import contains, enclosing, place_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Object
from racelint.program.sharing.ownership import is_made_with
from racelint.program.threads.context import Context

_EVENT = Object("threading.Event")


class StartupWaits:
    """Answers for the roots of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._said: dict[str, list[frozenset[int]]] = {}
        """By root: for each event that its starter waits for, what of the root's target may set that."""

    def precedes_users(self, root: ThreadRoot, mine: Context, event: int, other: Context) -> bool:
        """Whether the thread does something, at the event, before users have the object that starts the thread."""
        if not is_made_with(root) or any(frame.function is root.site_function for frame in other.chain()):
            return False
        at = _at_target(mine, event)
        loops = loops_around(root.target).get(at, [])
        return any(all(at < said and not _is_inside(said, loops) for said in each) for each in self._said_by(root))

    def _said_by(self, root: ThreadRoot) -> list[frozenset[int]]:
        if root.id not in self._said:
            told = [self._told_at(place, root) for place in self._waited_for(root)]
            self._said[root.id] = [events for events in told if events]
        return self._said[root.id]

    def _waited_for(self, root: ThreadRoot) -> Iterator[Location]:
        """The events that the constructor waits for without a limit, once it has started the thread."""
        maker = root.site_function
        started = [number for function, number in root.starts if function is maker]
        if maker is None or len(started) != 1:
            return
        for location, event in self._calls_on_events(maker, "wait"):
            same_way = enclosing(place_of(maker, event)) == enclosing(place_of(maker, started[0]))
            if event > started[0] and same_way:
                yield location

    def _told_at(self, place: Location, root: ThreadRoot) -> frozenset[int]:
        """The events of the root's target that may set the event; none where other threads may."""
        found: set[int] = set()
        for function in self.program.index.functions:
            for location, event in self._calls_on_events(function, "set"):
                contexts = self.program.reach.in_threads(function) if location == place else ()
                if any(context.root is not root for context in contexts):
                    return frozenset()
                found.update(_at_target(context, event) for context in contexts)
        return frozenset(found)

    def _calls_on_events(self, function: FunctionInfo, name: str) -> Iterator[tuple[Location, int]]:
        for call in self.program.stores.facts[function.id].calls:
            path = call.func[0] if len(call.func) == 1 else ()
            if len(path) > 2 and path[-1] == name and not call.args:
                location = self.program.locations.of(path[:-1], function)
                if location is not None and _EVENT in self.program.types.of(path[:-1], function):
                    yield location, call.id


def _at_target(context: Context, event: int) -> int:
    """The event of the thread's target that leads to an event of what it calls."""
    below = context.chain()[1:2]
    return below[0].site if below else event


def _is_inside(event: int, loops: list[Loop]) -> bool:
    return any(contains(loop, event) for loop in loops)
