"""Threads that join themselves: what one runs comes, by calls of its own, to its own `join()`, which raises.

A thread that runs a method of an object keeps that object alive. Its `__del__` can't run before the thread has ended,
and where the thread has the last reference it runs on that very thread. The worker of an executor joins itself where
it shuts the executor down and waits.

Carried up the calls as locks are that a thread takes twice (`taken_twice`): the path of the thread object must be
that of the very object whose method the thread runs.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cached_property

import msgspec

from racelint.model.summary import Call, Path, Try, Value
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import is_caught
from racelint.program.linked.kept_callbacks import KeptCallbacks, Notice
from racelint.program.linked.loop_callbacks import loop_callbacks
from racelint.program.linked.primitives import is_member_of
from racelint.program.linked.processes import closure
from racelint.program.linked.reached import Reached, reached
from racelint.program.linker import Program
from racelint.program.locking.substitution import absolute
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, class_of_object
from racelint.program.objects.locations import Location
from racelint.program.threads.users import is_public

_EXECUTORS = frozenset({"concurrent.futures.ThreadPoolExecutor"})
_EXPECTED = frozenset({"g:RuntimeError"})
_BROAD = frozenset({"", "g:Exception", "g:BaseException"})


class Join(msgspec.Struct, frozen=True):
    """A `join()` of a thread of `root`."""

    root: ThreadRoot
    function: FunctionInfo
    call: Call

    @property
    def key(self) -> Hashable:
        return (self.root.id, self.function.id, self.call.id)


class SelfJoin(msgspec.Struct, frozen=True):
    """The thread comes to the join by `chain`, outermost call first; by the finalizer of its object if there is one."""

    join: Join
    chain: tuple[CallSite, ...]
    finalizer: FunctionInfo | None = None
    told: Notice | None = None
    """The callback by which the thread comes there, if that calls `entry`."""
    entry: FunctionInfo | None = None


class SelfJoins:
    """All of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.running = program.takings.running

    def found(self) -> Iterator[SelfJoin]:
        """In the order of the roots, each join once."""
        own: dict[str, list[Reached[Join]]] = {}
        for join in self._joins():
            way = self.running.way(join.function, join.call.id)
            if "*" not in way.asked and not self._is_excused(join.function, join.call.id):
                owner = absolute(join.call.func[0][:-1], join.function, self.program.index)
                given = way.given | {(name, True) for name in _if_waiting(join.call)}
                entry = Reached(join, owner, (), way.certain, given)
                own.setdefault(join.function.id, []).append(entry)
        if not own:
            return
        joined = {entry.fact.root.id for entries in own.values() for entry in entries}
        roots = [root for root in self.program.roots if root.id in joined]
        asked = [function for root in roots for function in _entrances(root)]
        more = [*loop_callbacks(self.program)]
        everywhere = reached(self.running, asked, lambda f: own.get(f.id, ()), self._is_dropped, more)
        seen = set()
        for root in roots:
            finalizer = _finalizer(root)
            for entry in everywhere.get(root.target.id, ()):
                place = (entry.fact.function.id, entry.fact.call.id)
                if entry.fact.root is root and place not in seen and self._is_own(entry.owner, root):
                    seen.add(place)
                    yield SelfJoin(entry.fact, entry.chain)
            for entry in everywhere.get(finalizer.id, ()) if finalizer is not None else ():
                place = (entry.fact.function.id, entry.fact.call.id)
                if entry.fact.root is root and place not in seen and _hangs_from_self(entry.owner, finalizer):
                    seen.add(place)
                    yield SelfJoin(entry.fact, entry.chain, finalizer)
            for own_join in self._by_callbacks(root, everywhere):
                place = (own_join.join.function.id, own_join.join.call.id)
                if place not in seen:
                    seen.add(place)
                    yield own_join

    def _by_callbacks(self, root: ThreadRoot, everywhere: dict[str, list[Reached[Join]]]) -> Iterator[SelfJoin]:
        """What users call of the object joins the thread, which calls back whom the object keeps."""
        cls = _class_of(root)
        if cls is None:
            return
        methods = [method for method in cls.all_methods() if _is_for_users(method)]
        entries = [(m, e) for m in methods for e in everywhere.get(m.id, ()) if e.fact.root is root]
        entries = [(m, e) for m, e in entries if _hangs_from_self(e.owner, m)]
        if entries:
            run = (f for f in closure(self.program, [root.target]).values() if f.cls in cls.mro)
            told = next((t.fact for f in run for t in self._callbacks.told_by(f) if t.owner), None)
            if told is not None:
                method, entry = entries[0]
                yield SelfJoin(entry.fact, entry.chain, None, told, method)

    @cached_property
    def _callbacks(self) -> KeptCallbacks:
        return KeptCallbacks(self.program)

    def _joins(self) -> Iterator[Join]:
        for root in self.program.roots:
            if root.kind == "pool":
                yield from self._shutdowns(root)
            if root.kind not in ("thread", "timer"):
                continue
            for function, event in root.joins:
                call = self.program.stores.facts[function.id].call(event)
                if call is not None and call.func and len(call.func[0]) > 1 and call.func[0][-1] == "join":
                    yield Join(root, function, call)
            if root.cls is not None and root.cls.method("join") is None:
                yield from self._of_own_class(root, root.cls)

    def _shutdowns(self, root: ThreadRoot) -> Iterator[Join]:
        """Where the executor that the task is given to is shut down."""
        path = root.site.func[0] if root.site is not None and root.site.func else ()
        if root.site_function is None or len(path) < 2:
            return
        place = self.program.locations.of(path[:-1], root.site_function)
        for function, call in self._calls_of_shutdown.get(place, ()) if place is not None else ():
            yield Join(root, function, call)

    @cached_property
    def _calls_of_shutdown(self) -> dict[Location | None, list[tuple[FunctionInfo, Call]]]:
        """By the place of the executor of threads; those that say `wait=False` are left out."""
        found: dict[Location | None, list[tuple[FunctionInfo, Call]]] = {}
        for function, call in self.program.callees.written("shutdown"):
            path = call.func[0]
            shuts = len(path) > 1 and path[-1] == "shutdown" and _waiting(call) != (("k:False",),)
            if shuts and is_member_of(self.program, path, function, _EXECUTORS):
                place = self.program.locations.of(path[:-1], function)
                found.setdefault(place, []).append((function, call))
        return found

    def _of_own_class(self, root: ThreadRoot, cls: ClassInfo) -> Iterator[Join]:
        """`self.join()` in a method of the thread's own class."""
        for method in cls.all_methods():
            for call in self.program.stores.facts[method.id].calls:
                if call.func[:1] == ((f"p:{method.self_name}", "join"),):
                    yield Join(root, method, call)

    def _is_dropped(self, entry: Reached[Join], site: CallSite) -> bool:
        """The way there led over a question which thread this is, or the error is caught."""
        asked = "*" in self.running.way(site.caller, site.event).asked
        return asked or self._is_excused(site.caller, site.event)

    def _is_excused(self, function: FunctionInfo, event: int) -> bool:
        """Whether what the event raises is expected: caught as `RuntimeError`, or with little else by what catches all.

        A `try` around much more than the event is there for other errors, and skips what follows.
        """
        nodes = self.program.stores.facts[function.id].nodes
        if is_caught(nodes, event, _EXPECTED):
            return True
        for node in nodes:
            if isinstance(node, Try) and is_caught((node,), event, _BROAD):
                calls = [inner.id for inner in nodes_of(node.body) if isinstance(inner, Call)]
                if event in (*calls[:1], *calls[-1:]):
                    return True
        return False

    def _is_own(self, owner: Path | None, root: ThreadRoot) -> bool:
        """Whether the path, as the thread's target sees it, is the thread that runs it."""
        if not owner:
            return False
        if root.kind == "pool" and owner[0].startswith("g:"):
            return True
        if owner[0] != f"p:{root.target.self_name}":
            return False
        if root.cls is not None:
            return len(owner) == 1
        starter, site = root.site_function, root.site
        if root.kind == "pool":
            used: Path = (f"p:{starter.self_name}", *owner[1:]) if starter is not None else ()
            return bool(used) and site is not None and site.func[0][:-1] == used and root.receiver == used[:1]
        if starter is None or site is None or root.receiver != (f"p:{starter.self_name}",):
            return False
        stored = self.program.stores.facts[starter.id].accesses
        made: Path = (f"c:{site.id}",)
        return any(
            access.kind == "write" and made in access.value and access.path == (*root.receiver, *owner[1:])
            for access in stored
        )


def _entrances(root: ThreadRoot) -> Iterator[FunctionInfo]:
    """From where a join of the thread may be come to that ends badly: its target, and methods of the object."""
    finalizer, cls = _finalizer(root), _class_of(root)
    yield root.target
    if finalizer is not None:
        yield finalizer
    if cls is not None:
        yield from cls.all_methods()


def _class_of(root: ThreadRoot) -> ClassInfo | None:
    """The class of the object that the thread is, or one of whose methods it runs."""
    if root.kind != "thread":
        return None
    return class_of_object(root) or (root.target.cls if root.receiver is not None else None)


def _finalizer(root: ThreadRoot) -> FunctionInfo | None:
    """The `__del__` of the object that the thread keeps alive, since it runs a method of it."""
    starter = root.site_function
    if root.kind != "thread" or root.cls is not None or starter is None or starter.cls is None:
        return None
    return starter.cls.method("__del__") if root.receiver == (f"p:{starter.self_name}",) else None


def _is_for_users(method: FunctionInfo) -> bool:
    return is_public(method) and not method.ir.name.startswith("__")


def _hangs_from_self(owner: Path | None, method: FunctionInfo | None) -> bool:
    return bool(owner) and method is not None and owner is not None and owner[0] == f"p:{method.self_name}"


def _waiting(call: Call) -> Value:
    """What `shutdown` is given for its `wait`."""
    for position, argument in enumerate(call.args):
        if argument.name == "wait" or (position == 0 and not argument.name):
            return argument.value
    return ()


def _if_waiting(call: Call) -> list[str]:
    """The parameter that says whether `shutdown` waits."""
    value = _waiting(call) if call.func[0][-1] == "shutdown" else ()
    return [path[0][2:] for path in value if len(path) == 1 and path[0].startswith("p:")]
