"""From where to where a thread lives: its starts and joins, followed through variables, attributes and helpers."""

from __future__ import annotations

from racelint.knowledge.threads import Starter
from racelint.model.summary import ELEMENT, Access, Call, Path
from racelint.program.calling.calls import CallGraph
from racelint.program.flow.values import Stores, nodes_of
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.program.objects.types import Types


class Lifetimes:
    """Fills in the starts and joins of thread roots."""

    def __init__(self, stores: Stores, types: Types, calls: CallGraph) -> None:
        self.stores = stores
        self.types = types
        self.calls = calls

    def joined_in_turn(self, root: ThreadRoot) -> bool:
        """Each thread is joined in the turn that starts it."""
        for function, start in root.starts:
            loops = loops_around(function).get(start, [])
            joins = [join for other, join in root.joins if other is function]
            ends = [loops_around(function).get(join, []) for join in joins]
            if not loops or loops not in ends:
                return False
        return bool(root.starts)

    def one_worker(self, call: Call, function: FunctionInfo) -> bool:
        """The task goes to an executor of one worker."""
        for path in call.func[:1]:
            for value, maker in self._makers(path[:-1], function):
                made = self.stores.facts[maker.id].made_by(value)
                for argument in made.args if made is not None else ():
                    if argument.name in ("max_workers", "processes", "") and argument.value == (("k:int:1",),):
                        return True
        return False

    def _makers(self, path: Path, function: FunctionInfo) -> list[tuple[Path, FunctionInfo]]:
        """The values stored at a path, and where."""
        if len(path) == 1 and path[0].startswith("g:"):
            entries = self.stores.variables.get((function.module.name, path[0][2:]), [])
            return [(value, entry.function) for entry in entries for value in entry.value if len(value) == 1]
        if len(path) == 1:
            return [(path, function)]
        if len(path) == 2 and function.cls is not None and path[0] == f"p:{function.self_name}":
            entries = [e for cls in function.cls.mro for e in self.stores.attributes.get((cls.id, path[1]), [])]
            return [(value, entry.function) for entry in entries for value in entry.value if len(value) == 1]
        return []

    def follow(self, root: ThreadRoot, starter: Starter, call: Call, function: FunctionInfo) -> None:
        """Where the thread is started and joined, as far as it can be followed."""
        if not starter.deferred:
            root.starts.append((function, call.id))
        if starter.kind == "pool" and not starter.deferred:
            left = self._pool_left(call, function)
            if left is not None:
                root.left = left
        made: Path = (f"c:{call.id}",)
        for holder, other in self._functions_that_hold(function, made):
            facts = self.stores.facts[other.id]
            for event in facts.calls:
                if starter.kind == "pool" and self._waits_for(event, holder, other):
                    root.joins.append((other, event.id))
                for path in event.func[:1]:
                    waits = path[-1] in ("result", "get", "wait") and starter.kind == "pool"
                    if len(path) == 1 or facts.original(path)[:-1] not in holder:
                        continue
                    if path[-1] == "join" or waits:
                        root.joins.append((other, event.id))
                    elif path[-1] == "start" and (other is function or not self._made_anew(path[:-1], event, other)):
                        root.starts.append((other, event.id))

    def _made_anew(self, path: Path, start: Call, function: FunctionInfo) -> bool:
        """What `start` starts is what the function itself has put there."""
        return any(
            access.kind == "write"
            and access.path == path
            and access.id < start.id
            and any(value[0].startswith("c:") for value in access.value)
            for access in self.stores.facts[function.id].accesses
        )

    def join_through_helpers(self, roots: list[ThreadRoot]) -> None:
        """A call of a method that joins the thread joins it."""
        for root in roots:
            for function, _ in list(root.joins):
                if function is root.site_function:
                    continue
                for site in self.calls.incoming.get(function.id, []):
                    if not site.weak and site.caller is root.site_function:
                        root.joins.append((site.caller, site.event))

    def _pool_left(self, call: Call, function: FunctionInfo) -> int | None:
        """The last event of the `with` of the pool that `call` is submitted to: leaving it waits for all tasks."""
        pools = {path[:-1] for path in call.func}
        for node in self.stores.facts[function.id].withs:
            if any(path in pools for path in node.item.value):
                inside = [inner.id for inner in nodes_of(node.body) if isinstance(inner, (Access, Call))]
                return max(inside, default=None)
        return None

    def _waits_for(self, event: Call, holders: set[Path], function: FunctionInfo) -> bool:
        """`wait(futures)`, `as_completed(futures)`."""
        for thing in self.types.of_value(event.func, function):
            if isinstance(thing, External) and thing.dotted in (
                "concurrent.futures.wait",
                "concurrent.futures.as_completed",
            ):
                for argument in event.args[:1]:
                    return any((*path, ELEMENT) in holders or path in holders for path in argument.value)
        return False

    def _functions_that_hold(self, function: FunctionInfo, made: Path) -> list[tuple[set[Path], FunctionInfo]]:
        """Paths that hold the thread object, in its own function and, for attributes, in the methods of the class."""
        holders: set[Path] = {made}
        attributes: set[str] = set()
        for access in self.stores.facts[function.id].accesses:
            if access.kind == "write" and (made in access.value or any(v in holders for v in access.value)):
                holders.add(access.path)
                if len(access.path) >= 2 and access.path[0] == f"p:{function.self_name}":
                    attributes.add("/".join(access.path[1:]))
            elif access.kind == "write" and any((*v, ELEMENT) in holders for v in access.value):
                holders.add((*access.path, ELEMENT))  # a list of them gets a name
                if len(access.path) >= 2 and access.path[0] == f"p:{function.self_name}":
                    attributes.add("/".join((*access.path[1:], ELEMENT)))
        for call in self.stores.facts[function.id].calls:
            for path in call.func[:1]:
                if path[-1] in ("append", "add") and any(v in holders for a in call.args for v in a.value):
                    holders.add((*path[:-1], ELEMENT))
                    if len(path) >= 2 and path[0] == f"p:{function.self_name}":
                        attributes.add("/".join((*path[1:-1], ELEMENT)))
        found = [(holders, function)]
        if function.cls is not None and attributes:
            for method in function.cls.own.values():
                if method is not function and method.self_name:
                    paths: set[Path] = {(f"p:{method.self_name}", *name.split("/")) for name in attributes}
                    found.append((paths, method))
        return found
