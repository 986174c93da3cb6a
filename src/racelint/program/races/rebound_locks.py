"""Locks that are replaced while others may hold or want them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import msgspec

from racelint.model.summary import Access, Branch, Call, Try
from racelint.program.flow.walk import place_of
from racelint.program.linked.per_call_locks import lock_made_by
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.sharing.ownership import CONSTRUCTORS, makes_self
from racelint.program.threads.fork_handlers import run_in_children

_SETS_UP = CONSTRUCTORS | frozenset(
    {"__setstate__", "__copy__", "__deepcopy__", "__getstate__", "__reduce__", "__init_subclass__", "__set_name__"}
    | {"setUp", "setUpClass", "asyncSetUp", "setup", "setup_method", "setup_class"}
)
_BEGINNINGS = ("init", "start", "open", "setup", "set_up", "begin", "prepare", "configure", "build")
"""How methods are called that come before all others."""
_AFTER_FORK = ("fork", "child", "pid")
_PROCESS_QUESTIONS = frozenset({"os.getpid", "os.fork", "os.register_at_fork", "multiprocessing.current_process"})


class Rebinding(msgspec.Struct, frozen=True):
    """A new lock is put where `users` take the old one; `held`: while the old one is held."""

    function: FunctionInfo
    access: Access
    location: Location
    users: tuple[FunctionInfo, ...]
    held: bool


class ReboundLocks:
    """All of the program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._set_up: dict[str, bool] = {}

    def found(self) -> Iterator[Rebinding]:
        """In source order."""
        users = self._users()
        for function in self.program.index.functions:
            if function.ir.kind in ("module", "class"):
                continue
            for access in self.program.stores.facts[function.id].changes:
                if access.kind != "write" or len(access.value) != 1 or access.value[0][0][:2] != "c:":
                    continue
                if self._stores_new_lock(access, function) and not self.is_set_up(function):
                    location = self.program.locations.of(access.path, function)
                    others = [user for user in users.get(location, ()) if user is not function] if location else []
                    if location is None or location.kind == "captured" or location.content:
                        continue
                    if self._is_lazy(access, function) or not self._is_there(location, function):
                        continue
                    held = self.program.flows.of(function).at(access.id).hold(location) is not None
                    if others or held:
                        yield Rebinding(function, access, location, tuple(others), held)

    def _is_there(self, location: Location, function: FunctionInfo) -> bool:
        """Whether somebody else makes the lock first, or a constructor does by this very function."""
        if any(makes_self(site.caller) for site in self.program.calls.incoming.get(function.id, ()) if not site.weak):
            return True
        name = location.fields[0]
        stores = self.program.stores
        entries = stores.attributes.get((location.owner, name), []) + stores.variables.get((location.owner, name), [])
        return any(
            entry.function is not function
            and entry.access is not None
            and len(entry.value) == 1
            and self._stores_new_lock(entry.access, entry.function)
            for entry in entries
        )

    def _users(self) -> dict[Location | None, list[FunctionInfo]]:
        found: dict[Location | None, list[FunctionInfo]] = {}
        for function in self.program.flows.takers:
            locations = {lock.location for lock, _, _ in self.program.flows.of(function).acquisitions}
            for location in locations:
                found.setdefault(location, []).append(function)
        return found

    def _stores_new_lock(self, access: Access, function: FunctionInfo) -> bool:
        path = access.value[0]
        call = self.program.stores.facts[function.id].made_by(path)
        return len(path) == 1 and call is not None and bool(lock_made_by(self.program, call, function))

    def _is_lazy(self, access: Access, function: FunctionInfo) -> bool:
        """Made where there is none yet: another rule's affair."""
        facts = self.program.stores.facts[function.id]
        for place in place_of(function, access.id):
            node = place.node
            if isinstance(node, Try) and any(place.block is handler.body for handler in node.handlers):
                return True
            if isinstance(node, Branch):
                tests = [facts.events.get(dep) for dep in node.deps]
                if any(isinstance(test, Access) and test.path == access.path for test in tests):
                    return True
                if any(isinstance(test, Call) and test.func and test.func[0][-1] == "g:hasattr" for test in tests):
                    return True
        return False

    def is_set_up(self, function: FunctionInfo, depth: int = 0) -> bool:
        """It runs before anybody else has the object, or in a child process, where nobody holds anything."""
        known = self._set_up.get(function.id)
        if known is None:
            self._set_up[function.id] = False
            known = self._set_up[function.id] = self._sets_up(function, depth)
        return known

    def _sets_up(self, function: FunctionInfo, depth: int) -> bool:
        name = function.ir.name.strip("_").lower()
        if function.ir.name in _SETS_UP or name.startswith(_BEGINNINGS) or self._asks_for_process(function):
            return True
        if any(word in name for word in _AFTER_FORK) or function.id in self._in_children:
            return True
        sites = [site for site in self.program.calls.incoming.get(function.id, []) if not site.weak]
        return (
            bool(sites)
            and depth < 4
            and all(site.caller.ir.kind == "module" or self.is_set_up(site.caller, depth + 1) for site in sites)
        )

    @cached_property
    def _in_children(self) -> frozenset[str]:
        program = self.program
        return run_in_children(program.index, program.stores, program.types)

    def _asks_for_process(self, function: FunctionInfo) -> bool:
        return any(named.dotted in _PROCESS_QUESTIONS for named in self.program.callees.outside(function))
