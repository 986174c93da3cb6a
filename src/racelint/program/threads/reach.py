"""Who runs what, holding what: every function in the contexts that the thread roots and the program's users run it in.

A context is a function together with the locks its callers hold and the parameters that the caller owns. Contexts
are found top-down from each root along the call graph, so that private helpers are judged through their callers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from racelint.knowledge.threads import ASKED_FOR
from racelint.program.calling.calls import CallGraph, CallSite
from racelint.program.calling.handed_calls import HandedCalls
from racelint.program.calling.switches import Switches
from racelint.program.flow.values import Stores
from racelint.program.flow.ways import Given
from racelint.program.locking.locks import Lock
from racelint.program.locking.locksets import LockFlows
from racelint.program.names.index import ClassInfo, FunctionInfo, Index
from racelint.program.names.thread_root import ThreadRoot, class_of_object
from racelint.program.objects.anchors import Anchor, Anchors
from racelint.program.objects.decorators import owner_parameter
from racelint.program.objects.families import unrelated
from racelint.program.sharing.contracts import Contracts
from racelint.program.sharing.ownership import Ownership, is_made_with, makes_self
from racelint.program.threads.context import Context
from racelint.program.threads.descent import Descent, Entry, State, Step
from racelint.program.threads.method_keepers import MethodKeepers
from racelint.program.threads.users import Users, is_public

_UNSWITCHED: Given = frozenset()


def _is_asked_for(root: ThreadRoot) -> bool:
    """A timer does what users do, too, when they do not wait for it: `flush`."""
    return root.kind == "timer" and is_public(root.target) and root.target.ir.name in ASKED_FOR


class Reach:
    """All contexts of all functions."""

    def __init__(
        self,
        index: Index,
        stores: Stores,
        calls: CallGraph,
        flows: LockFlows,
        ownership: Ownership,
        roots: list[ThreadRoot],
        decorated: dict[str, frozenset[Lock]],
        anchors: Anchors,
        contracts: Contracts,
    ) -> None:
        self.index = index
        self.stores = stores
        self.calls = calls
        self.flows = flows
        self.ownership = ownership
        self.decorated = decorated
        self.anchors = anchors
        self.contracts = contracts
        self.switches = Switches(stores)
        self._wrappers = ownership.types.decorated
        self._methods = MethodKeepers(stores, ownership)
        self._handed_calls = HandedCalls(stores, calls, ownership.types)
        self.targets = {root.target.id for root in roots if root.in_process and not _is_asked_for(root)}
        self.handlers = {root.target.cls for root in roots if root.kind == "handler" and root.own_self}
        self.with_thread = {root.target.cls for root in roots if self._is_on_made(root)}
        self._steps: dict[str, list[Step]] = {}
        self._entered: dict[str, list[Entry]] = {}
        self._positions = {function.id: position for position, function in enumerate(index.functions)}
        self._descent = Descent(self._steps_of, self._called, self._handed_calls.runs)
        self._in_threads: dict[str, list[Context]] = {}
        for root in roots:
            if root.in_process:
                for name, met in self._descent.below(self._root_context(root)).items():
                    self._in_threads.setdefault(name, []).extend(each.context for each in met)
        self._known: dict[str, list[Context]] = {}
        """All contexts, of the functions that were asked for and of what leads to them."""

    def _is_on_made(self, root: ThreadRoot) -> bool:
        """A constructor starts the thread on what it makes for its object: `Thread(target=self.loop.run)`."""
        starter, receiver = root.site_function, root.receiver
        if root.kind != "thread" or starter is None or receiver is None or len(receiver) != 2:
            return False
        return is_made_with(root) and self._made_by_owner(starter, receiver)

    def of(self, function: FunctionInfo) -> list[Context]:
        """Those of the thread roots, then those of the program's users."""
        if function.id not in self._known:
            self.follow([function])
        return self._known[function.id]

    def in_threads(self, function: FunctionInfo) -> list[Context]:
        """Those of the thread roots alone."""
        return self._in_threads.get(function.id, [])

    def is_beside(self, root: ThreadRoot, function: FunctionInfo) -> bool:
        """Whether anything else than the threads of `root` comes to the function."""
        return any(context.root is not root for context in self.of(function))

    def in_thread(self, function: FunctionInfo) -> bool:
        """Whether a thread root reaches the function."""
        return function.id in self._in_threads

    def follow(self, functions: Iterable[FunctionInfo]) -> None:
        """Find all contexts of some functions and of what leads to them: many at once cost less than each by itself."""
        fresh, around = self._leading_to(functions)
        if not fresh:
            return
        entered = sorted([*fresh, *(function.id for function in around)], key=self._positions.__getitem__)
        entries = (entry for name in entered for entry in self._entries(self.index.functions[self._positions[name]]))
        wanted = [entry for entry in entries if entry.context.function.id in fresh]
        found = self._descent.extend(wanted, fresh, around)
        for name in fresh:
            self._known[name] = self._in_threads.get(name, []) + [met.context for met in found.get(name, ())]

    def _leading_to(self, functions: Iterable[FunctionInfo]) -> tuple[dict[str, None], list[FunctionInfo]]:
        """Those of these functions that are not known, by id, with all that may call them, in any number of steps.

        And the known functions that do.
        """
        pending = [function.id for function in functions if function.id not in self._known]
        leading = dict.fromkeys(pending)
        around: dict[FunctionInfo, None] = {}
        while pending:
            name = pending.pop()
            wrapped = self._wrappers.functions.get(name, ())
            sites = [site for each in (name, *(f.id for f in wrapped)) for site in self.calls.incoming.get(each, ())]
            for caller in (*(site.caller for site in sites), *wrapped):
                if caller.id in self._known:
                    around[caller] = None
                elif caller.id not in leading:
                    leading[caller.id] = None
                    pending.append(caller.id)
        return leading, list(around)

    def _root_context(self, root: ThreadRoot) -> Context:
        private = frozenset({root.target.self_name}) if root.own_self and root.target.self_name else frozenset()
        held = self.decorated.get(root.target.id, frozenset())
        owned = frozenset({root.target.self_name}) if root.constructs and makes_self(root.target) else frozenset()
        anchors = self._root_anchors(root)
        return Context(root.target, root, held, False, owned, private, None, 0, False, anchors, class_of_object(root))

    def _root_anchors(self, root: ThreadRoot) -> tuple[tuple[str, Anchor], ...]:
        """What the root's `self` and arguments hang from, as seen where it is started."""
        found: dict[str, Anchor] = {}
        target, starter = root.target, root.site_function
        if target.cls is not None and target.self_name:
            found[target.self_name] = self.anchors.of_class(target.cls)
        if starter is not None:
            known = self._own_anchor(starter)
            for name, value in root.bindings.items():
                for path in value[:1]:
                    anchor = self.anchors.of(path, starter, known)
                    if anchor is not None:
                        found[name] = anchor
        return tuple(sorted(found.items()))

    def _own_anchor(self, function: FunctionInfo) -> dict[str, Anchor]:
        if function.cls is not None and function.self_name:
            return {function.self_name: self.anchors.of_class(function.cls)}
        return {}

    @cached_property
    def _users(self) -> Users:
        return Users(self.index, self.stores, self.calls, self.targets, self.handlers, self.with_thread, self.contracts)

    def _entries(self, function: FunctionInfo) -> list[Entry]:
        """How users enter the function, and what runs instead of it where it is decorated."""
        known = self._entered.get(function.id)
        if known is None:
            position = self._positions[function.id]
            contexts = enumerate(self._contexts_entered(function))
            known = self._entered[function.id] = [Entry((position, number), context) for number, context in contexts]
        return known

    def _contexts_entered(self, function: FunctionInfo) -> Iterator[Context]:
        public = self._users.may_call(function)
        if function.ir.kind in ("module", "class") or public or self._users.may_be_given(function):
            owned = frozenset({function.self_name}) if makes_self(function) else frozenset()
            held = self.decorated.get(function.id, frozenset())
            public = public or bool(function.ir.parent)
            anchors = tuple(self._own_anchor(function).items())
            entry = Context(function, None, held, False, owned - {""}, frozenset(), None, 0, public, anchors)
            yield entry
            yield from self._wrapped(entry)

    def _wrapped(self, entry: Context) -> Iterator[Context]:
        """What users run by the name of a decorated function, before the function itself."""
        function = entry.function
        for wrapper in self._wrappers.wrappers.get(function.id, ()):
            name = owner_parameter(wrapper)
            owned = frozenset({name}) if function.self_name in entry.owned else frozenset()
            anchors = tuple((name, anchor) for own, anchor in entry.anchors if own == function.self_name)
            yield Context(
                wrapper, None, frozenset(), False, owned, frozenset(), entry, 0, entry.public, anchors, origin=entry
            )

    def _steps_of(self, function: FunctionInfo) -> list[Step]:
        known = self._steps.get(function.id)
        if known is None:
            known = self._steps[function.id] = [
                self._step(site)
                for called in self.calls.outgoing[function.id]
                for site in (called, *self._wrappers.through(called))
                if (function.ir.is_async or not site.callee.ir.is_async)
                and site.callee.id not in self._users.run_at_forks
            ]
        return known

    def _step(self, site: CallSite) -> Step:
        callee, state = site.callee, self.flows.of(site.caller).at(site.event)
        return Step(
            site,
            callee.id,
            self._handed_calls.is_one(site),
            self.calls.is_on_own(site),
            frozenset(hold.lock for hold in state.must),
            state.dropped,
            bool(state.may - {hold.lock.location for hold in state.must}),
            self.decorated.get(callee.id, frozenset()),
            callee.ir.is_generator and not callee.is_contextmanager,
            self.switches.has_any(callee),
        )

    def _called(self, context: Context, step: Step) -> State | None:
        site, inside = step.site, step.site.on
        if step.own and site.callee.cls is not None:
            if not _suits(context, site.callee, site.callee.cls):
                return None
            inside = _class_inside(context, site.callee.cls)
        if context.switches and self.switches.rule_out(context.function, site.event, context.switches):
            return None
        held, perhaps = context.held, context.perhaps or step.unsure
        if step.dropped:
            held = frozenset(lock for lock in held if lock.location not in step.dropped)
        if step.taken:
            held |= step.taken
        if held and step.later:
            if self._hands_on(context.function, site.event):
                held = frozenset()
            else:
                perhaps = True
        if step.around:
            held |= step.around
        having = (context.owned, context.private)
        given = step.given.get(having)
        if given is None:
            given = step.given[having] = self._handed(context, site)
        owned, private = given
        anchors = step.anchors.get(context.anchors)
        if anchors is None:
            anchors = step.anchors[context.anchors] = self._passed_anchors(context, site)
        switches = self.switches.set_by(site, context.switches) if step.switched else _UNSWITCHED
        return self._descent.state(held, perhaps, owned, private, context.public, anchors, inside, switches)

    def _hands_on(self, function: FunctionInfo, event: int) -> bool:
        """A generator that is returned as it is runs later, in whatever the caller holds then."""
        return any((f"c:{event}",) in node.value for node in self.stores.facts[function.id].returns)

    def _passed_anchors(self, context: Context, site: CallSite) -> tuple[tuple[str, Anchor], ...]:
        known = dict(context.anchors)
        found: dict[str, Anchor] = {}
        if site.receiver is not None and site.callee.self_name:
            anchor = self.anchors.of(site.receiver, context.function, known)
            if anchor is not None:
                found[site.callee.self_name] = anchor
        elif site.callee.cls is not None and site.callee.self_name and not self._hands_own(context.function, site):
            found[site.callee.self_name] = self._methods.anchor(site) or self.anchors.of_class(site.callee.cls)
        for name, value in site.bindings.items():
            if len(value) == 1:
                anchor = self.anchors.of(value[0], context.function, known)
                if anchor is not None:
                    found[name] = anchor
        return tuple(sorted(found.items()))

    def _hands_own(self, function: FunctionInfo, site: CallSite) -> bool:
        """`Base.close(self)`, of an object that may be any, but none other than the caller's, or one that it makes."""
        given = site.bindings.get(site.callee.self_name)
        root = given[0][0] if given and given[0] else ""
        call = self.stores.facts[function.id].made_by((root,))
        made = call is not None and any(path[-1] == "__new__" for path in call.func)
        return made or (bool(root) if call is None else self.ownership.is_fresh(root, function))

    def _handed(self, context: Context, site: CallSite) -> tuple[frozenset[str], frozenset[str]]:
        owned: set[str] = set()
        private: set[str] = set()
        if makes_self(site.callee) and site.receiver is not None and site.receiver[0].startswith("c:"):
            owned.add(site.callee.self_name)
        if site.receiver is not None and site.callee.self_name:
            self._hand(context, site, site.receiver, site.callee.self_name, owned, private)
        elif site.callee.self_name and not site.callee.is_classmethod:
            keeper = self._methods.parameter(site)
            owned |= {site.callee.self_name} if keeper in context.owned else set()
            private |= {site.callee.self_name} if keeper in context.private else set()
        for name, value in site.bindings.items():
            if len(value) == 1:
                self._hand(context, site, value[0], name, owned, private)
        return frozenset(owned), frozenset(private)

    def _made_by_owner(self, function: FunctionInfo, path: tuple[str, ...]) -> bool:
        """An attribute that only ever holds what the owned object made for itself."""
        if function.cls is None or path[0] != f"p:{function.self_name}":
            return False
        entries = [e for cls in function.cls.mro for e in self.stores.attributes.get((cls.id, path[1]), [])]
        values = [value for entry in entries for value in entry.value]
        return bool(values) and all(value[0].startswith(("c:", "v:", "k:")) and len(value) == 1 for value in values)

    def _hand(
        self, context: Context, site: CallSite, path: tuple[str, ...], name: str, owned: set[str], private: set[str]
    ) -> None:
        path = self._methods.owner(path, context.function)
        root = path[0]
        part_of_owned = len(path) == 2 and root.startswith("p:") and root[2:] in context.owned
        if part_of_owned and self._made_by_owner(context.function, path):
            owned.add(name)
        if len(path) != 1:
            return
        if root.startswith("p:"):
            if root[2:] in context.owned:
                owned.add(name)
            if root[2:] in context.private:
                private.add(name)
        elif self.ownership.owned(path, site.event, context.function, context.owned):
            owned.add(name)


def _suits(context: Context, callee: FunctionInfo, cls: ClassInfo) -> bool:
    """Whether an object of the class that is known runs this method of `cls` when it calls one of its own."""
    known = _class_here(context)
    if known is None:
        return True
    if cls not in known.mro:
        return not (_is_exact(context) or unrelated(known, cls))
    return known.method(cls.name_of(callee)) is callee or callee.ir.name == context.function.ir.name


def _is_exact(context: Context) -> bool:
    """Whether it is a method of the thread object itself, of which more than a base of its class is known."""
    root = context.root
    return root is not None and root.exact and context.function.self_name in context.private


def _class_inside(context: Context, cls: ClassInfo) -> ClassInfo:
    """The class of the object that calls a method of `cls` of its own, as far as this way to it tells."""
    known = _class_here(context)
    return known if known is not None and cls in known.mro else cls


def _class_here(context: Context) -> ClassInfo | None:
    """The class that the object whose method runs is at least one of."""
    return context.self_class or context.function.cls
