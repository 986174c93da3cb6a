"""What a program's users may call at any time, on any thread: the ways into it that no thread root is."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cached_property

from racelint.knowledge.threads import SELF_THREADED_HANDLERS
from racelint.program.calling.calls import CallGraph, CallSite
from racelint.program.flow.values import Stores
from racelint.program.names.index import ClassInfo, FunctionInfo, Index
from racelint.program.names.thread_root import thread_kind
from racelint.program.sharing.contracts import Contracts, is_disclaimed
from racelint.program.sharing.ownership import CONSTRUCTOR_STEPS, CONSTRUCTORS, makes_self
from racelint.program.threads.fork_handlers import named_for_children, run_in_children
from racelint.program.threads.test_cases import is_of_tests

_QUIET_DUNDERS = CONSTRUCTORS | frozenset(
    {"__del__", "__repr__", "__str__", "__getstate__", "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__"}
    | {
        "__hash__",
        "__eq__",
        "__ne__",
        "__lt__",
        "__format__",
        "__dir__",
        "__sizeof__",
        "__subclasshook__",
        "__fspath__",
    }
)

_BEGINNINGS = (
    *("start", "run", "open", "connect", "begin", "launch", "main", "init", "setup", "set_up", "configure", "listen"),
    *(
        "serve",
        "play",
        "resume",
        "restart",
        "enable",
        "create",
        "make",
        "spawn",
        "reload",
        "install",
        "register",
        "test",
    ),
)
_ENDINGS = (
    "stop",
    "close",
    "shutdown",
    "shut_down",
    "finish",
    "terminate",
    "quit",
    "exit",
    "dispose",
    "tear_down",
    "destroy",
)
_USES = ("open", "connect", "start", "run", *_ENDINGS)
_REGISTERING = ("register", "define", "declare")
_HANDLERS = ("on_", "handle_")
_ONCE = frozenset({"init", "new", "enter", "aenter"})


class Users:
    """Answers for the functions of a program; threads run `targets`, and servers call `handlers`.

    Of each class `with_thread`, an object has a thread of its own, which its maker starts.
    """

    def __init__(
        self,
        index: Index,
        stores: Stores,
        calls: CallGraph,
        targets: Collection[str],
        handlers: Collection[ClassInfo | None],
        with_thread: Collection[ClassInfo | None],
        contracts: Contracts,
    ) -> None:
        self.index = index
        self.stores = stores
        self.calls = calls
        self.targets = targets
        self.handlers = handlers
        self.contracts = contracts
        self.with_thread = with_thread

    def may_call(self, function: FunctionInfo) -> bool:
        """Whether users call it by its name."""
        if not is_public(function) or function.id in self.targets or function.id in self.run_at_forks:
            return False
        if self._runs_in_thread(function) or self._is_step_of_constructor(function) or self._is_hook(function):
            return False
        ruled_out = is_disclaimed(function) or self._is_handler(function) or self._fills_registry(function)
        return not ruled_out or self.contracts.promise(function)

    @cached_property
    def _handed_out(self) -> frozenset[str]:
        """Attributes and functions that are read without being called: callbacks are handed out so."""
        found: set[str] = set()
        for facts in self.stores.facts.values():
            for access in facts.accesses:
                if access.kind == "read" and not access.called and len(access.path) > 1:
                    found.add(access.path[-1])
            for call in facts.calls:
                for argument in call.args:
                    for path in argument.value:
                        found.add(path[-1].rpartition(":")[2].rpartition(".")[2])
        return frozenset(found)

    @cached_property
    def run_at_forks(self) -> frozenset[str]:
        """What runs in forked children, which have one thread, and what nothing else calls; by function id."""
        found = set(run_in_children(self.index, self.stores, self.calls.types))
        found |= named_for_children(self.index, self.stores, self.calls.types)
        pending = list(found)
        while pending:
            for site in self.calls.outgoing.get(pending.pop(), ()):
                if site.callee.id not in found and self._is_called_by(found, site.callee):
                    found.add(site.callee.id)
                    pending.append(site.callee.id)
        return frozenset(found)

    def _is_called_by(self, callers: Collection[str], function: FunctionInfo) -> bool:
        """Nobody else calls it in the program, but for tests; a constructor is for everybody."""
        sites = [site for site in self.calls.incoming.get(function.id, ()) if not is_of_tests(site.caller)]
        return not makes_self(function) and bool(sites) and all(site.caller.id in callers for site in sites)

    def _runs_in_thread(self, function: FunctionInfo) -> bool:
        """A method of a request handler, or one that only its class itself calls, of one whose objects have a thread.

        The former's objects belong to the server, the latter is part of what `run` or the handler does.
        """
        if function.cls is None:
            return False
        if any(cls in self.handlers for cls in function.cls.mro):
            return True
        externals = function.cls.all_external_bases()
        threaded = function.cls in self.with_thread or thread_kind(function.cls) is not None
        if not threaded and not SELF_THREADED_HANDLERS.intersection(externals):
            return False
        return are_within(
            [
                site
                for method in overridden(function)
                for site in self.calls.incoming.get(method.id, ())
                if method is function or not self._is_of_base(site)
            ],
            function.cls,
        )

    def _is_hook(self, function: FunctionInfo) -> bool:
        """A step that a base leaves to those who derive from it, and that this base itself calls at its time."""
        methods = overridden(function)
        sites = [site for method in methods for site in self.calls.incoming.get(method.id, ())]
        return any(
            method.is_abstract and method.cls is not None and are_within(sites, method.cls) for method in methods[1:]
        )

    def _is_handler(self, function: FunctionInfo) -> bool:
        """Of what its name says that something has happened, the program's own calls tell whom that happens to."""
        name = function.ir.name
        if function.cls is None or not name.startswith(_HANDLERS) or name in self._handed_out:
            return False
        return any(not site.weak and not is_of_tests(site.caller) for site in self.calls.incoming.get(function.id, ()))

    def _fills_registry(self, function: FunctionInfo) -> bool:
        """`register_codec(…)`, which modules call while they are imported, as those of users do, and nobody later."""
        if function.cls is not None or not function.ir.name.startswith(_REGISTERING):
            return False
        sites = [site for site in self.calls.incoming.get(function.id, ()) if not is_of_tests(site.caller)]
        return len(sites) > 1 and all(
            site.caller.ir.kind in ("module", "class") and not site.caller.ir.parent for site in sites
        )

    def _is_of_base(self, site: CallSite) -> bool:
        """`Base.start(self)` or `super().start()`, which no class derived from the base has another method for."""
        call = self.stores.facts[site.caller.id].call(site.event)
        return site.receiver is None or (
            call is not None and any(self.calls.is_super(path, site.caller) for path in call.func)
        )

    def _is_step_of_constructor(self, function: FunctionInfo) -> bool:
        """`setup` and the like, which only constructors and threads call, and methods that override it."""
        if function.cls is None or not function.ir.name.startswith(CONSTRUCTOR_STEPS):
            return False
        sites = [site for site in self.calls.incoming.get(function.id, []) if not site.weak]
        callers = [site.caller for site in sites if site.caller.ir.name != function.ir.name]
        return bool(callers) and all(makes_self(caller) or caller.id in self.targets for caller in callers)

    def may_be_given(self, function: FunctionInfo) -> bool:
        """A callback: nobody here calls it, and it is handed to others."""
        if function.id in self.targets or function.id in self.run_at_forks or self.calls.incoming.get(function.id):
            return False
        if function.id in self.calls.types.decorated.functions:
            return False  # users run it by the names of the functions that it stands for
        name = function.ir.name
        if name.startswith("__") or name in CONSTRUCTORS:
            return False
        if function.ir.kind == "lambda" or function.ir.parent:
            return True
        return name in self._handed_out


def are_within(sites: Iterable[CallSite], cls: ClassInfo) -> bool:
    """There are such calls, and only methods that objects of this very class have make them."""
    certain = [site for site in sites if not site.weak]
    return bool(certain) and all(site.caller.cls in cls.mro for site in certain)


def overridden(function: FunctionInfo) -> list[FunctionInfo]:
    """The method and those of its class's bases that it stands for, nearest first; a function of no class by itself."""
    known = function.overridden
    if known is None:
        bases = function.cls.mro if function.cls is not None else []
        methods = [base.module.functions[name] for base in bases if (name := base.ir.methods.get(function.ir.name))]
        known = function.overridden = methods if function in methods else [function]
    return known


def is_public(function: FunctionInfo) -> bool:
    """Whether users of the program call it: no leading underscore, or an operator method."""
    name = function.ir.name
    if function.ir.kind != "function" or function.ir.parent:
        return False
    if name.startswith("__") and name.endswith("__"):
        return function.cls is not None and name not in _QUIET_DUNDERS
    if name.startswith("_"):
        return False
    return function.cls is None or not function.cls.ir.parent


def is_called_once(function: FunctionInfo) -> bool:
    """Whether the name of what users call says that it is called once, before or after anything else."""
    name = function.ir.name.strip("_")
    return name in _ONCE or name.startswith(_BEGINNINGS) or name.startswith(_ENDINGS)


def begins_or_ends(function: FunctionInfo) -> bool:
    """Whether the name says that it begins or ends the use of an object: its users call it, whoever else does."""
    return function.ir.name.strip("_").startswith(_USES)
