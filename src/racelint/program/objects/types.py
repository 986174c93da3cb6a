"""What an access path may hold: a flow-insensitive, bounded type inference over what is stored where.

Never more than a few objects per path; an empty answer means unknown. Sources: assignments, annotations, constructor
calls, return values, arguments at the call sites of the program.
"""

from __future__ import annotations

from racelint.knowledge.locks import LOCK_FACTORIES
from racelint.knowledge.returns import RETURNS, TAKING_METHODS
from racelint.knowledge.threads import INSIDE_QUEUES, LOCKED_QUEUES, PROCESS_CONTEXTS, SAME_OBJECT
from racelint.model.summary import ELEMENT, Call, Path, Value
from racelint.program.flow.values import Stored, Stores
from racelint.program.names.askers import Askers, Question
from racelint.program.names.index import (
    ClassInfo,
    Entity,
    External,
    FunctionInfo,
    Index,
    ModuleInfo,
    Variable,
    canonical,
)
from racelint.program.objects.decorators import Decorated, owner_parameter
from racelint.program.objects.elements import MAX_SITES, Elements
from racelint.program.objects.families import Families
from racelint.program.objects.things import Bound, Constant, Instance, Member, Object, Thing

MAX_OBJECTS = 6
MAX_DEPTH = 24
_SELF_RETURNING = frozenset({"__enter__", "__aenter__", "copy"})
_MULTIPROCESSING = "multiprocessing."


class Types:
    """Answers `of(path, function)` from the stores of the program, memoised."""

    def __init__(self, index: Index, stores: Stores) -> None:
        self.index = index
        self.stores = stores
        self.arguments: dict[tuple[str, str], list[tuple[Value, FunctionInfo]]] = {}
        """By function id and parameter: what call sites pass."""
        self.late_attributes: dict[tuple[str, str], list[Stored]] = {}
        """Writes to attributes of objects that are not `self`."""
        self._known: dict[Question, tuple[Thing, ...]] = {}
        """Answers that what calls pass may change; those that hold whatever they pass are `FunctionInfo.meanings`."""
        self.open = False
        """Whether an answer since this was last False depends on what calls pass, or was cut short."""
        self._active: dict[Question, int] = {}
        """Questions under way, with their depth: a cycle is cut where it closes."""
        self._lowest = MAX_DEPTH
        """The shallowest question that an answer under way was cut at: answers below it are incomplete."""
        self._tried: set[Question] = set()
        """Those whose answer was incomplete: the next one has to do."""
        self.askers = Askers()
        self._elements = Elements(self)
        self.families = Families(index, stores, self.late_attributes)
        self.decorated = Decorated(index, self)
        for wrapper, method in self.decorated.owners():
            given: Value = ((f"p:{method.self_name}",),)
            self.arguments[wrapper.id, owner_parameter(wrapper)] = [(given, method)]
        self._record_late_attributes()
        self.families.complete = True

    def learn(self, function: FunctionInfo, name: str, value: Value, caller: FunctionInfo) -> None:
        """A call site passes the value for a parameter."""
        known = self.arguments.setdefault((function.id, name), [])
        if len(known) < MAX_SITES and (value, caller) not in known:
            self.askers.change(function, name)
        known.append((value, caller))

    def forget_outdated(self) -> set[FunctionInfo]:
        """Drop the answers that hang on what was learnt since; the functions whose calls were resolved by them."""
        questions, functions = self.askers.outdated()
        for question in questions:
            self._known.pop(question, None)
        self._tried.clear()
        return functions

    def settle(self) -> None:
        """All arguments are known: nothing changes any more."""
        for (function, path), things in self._known.items():
            function.meanings[path] = things
        self._known.clear()
        self.askers.close()

    def _record_late_attributes(self) -> None:
        for facts in self.stores.facts.values():
            for access in facts.accesses:
                if access.kind != "write" or len(access.path) < 2 or access.path[-1] == ELEMENT:
                    continue
                if access.path[0].startswith(("cls:", "v:", "k:")):
                    continue
                if len(access.path) == 2 and self._is_self(facts.function, access.path[0]):
                    continue
                for thing in self.of(access.path[:-1], facts.function):
                    if isinstance(thing, Instance):
                        key = (thing.cls.id, access.path[-1])
                        entry = Stored(access.value, facts.function, access)
                        self.late_attributes.setdefault(key, []).append(entry)
        for function in self.index.functions:
            function.meanings.clear()
        self._known.clear()
        self._tried.clear()
        self.askers.forget()

    @staticmethod
    def _is_self(function: FunctionInfo, root: str) -> bool:
        return bool(function.self_name) and root == f"p:{function.self_name}"

    def of(self, path: Path, function: FunctionInfo) -> tuple[Thing, ...]:
        """What `path` may hold in `function`."""
        known = function.meanings.get(path)
        if known is not None:
            return known
        key = (function, path)
        around, self.open = self.open, True
        known = self._known.get(key)
        asker = self.askers.current
        if known is not None:
            self.askers.note(key, asker)
            return known
        if key in self._active or len(self._active) >= MAX_DEPTH:
            self._lowest = min(self._lowest, self._active.get(key, MAX_DEPTH))
            self.askers.note(key, asker)
            return ()
        depth = self._active[key] = len(self._active)
        outer, self._lowest = self._lowest, MAX_DEPTH
        self.open = False
        self.askers.current = key
        try:
            found = self._infer(path, function)
        finally:
            del self._active[key]
            self.askers.current = asker
        if self.open:
            self.askers.note(key, asker)
        result = tuple(dict.fromkeys(found))[:MAX_OBJECTS] if len(found) > 1 else tuple(found)
        if not self.open:
            function.meanings[path] = result
        elif self._lowest >= depth or key in self._tried:
            self._known[key] = result
        else:
            self._tried.add(key)
        self._lowest = min(outer, self._lowest)
        self.open = self.open or around
        return result

    def _infer(self, path: Path, function: FunctionInfo) -> list[Thing]:
        if path[0].startswith("o:"):
            return list(self.of(self.stores.facts[function.id].original(path), function))
        if len(path) == 1:
            return self._root(path[0], function)
        found: list[Thing] = []
        for base in self.of(path[:-1], function):
            found.extend(self._field(base, path[-1]))
        if path[-1] == ELEMENT:
            found.extend(self._elements.of(path[:-1], function))
            if path[-2] == ELEMENT:  # the value of `for key, value in d.items()`
                found.extend(thing for thing in self.of(path[:-1], function) if isinstance(thing, Instance))
        return found

    def of_value(self, value: Value, function: FunctionInfo) -> tuple[Thing, ...]:
        if len(value) == 1:
            known = function.meanings.get(value[0])
            return known if known is not None else self.of(value[0], function)
        found: list[Thing] = []
        for path in value:
            found.extend(self.of(path, function))
        return tuple(dict.fromkeys(found))[:MAX_OBJECTS]

    def of_stored(self, entries: list[Stored]) -> list[Thing]:
        found: list[Thing] = []
        for entry in entries[:MAX_SITES]:
            found.extend(self.of_value(entry.value, entry.function))
        return found

    def _root(self, root: str, function: FunctionInfo) -> list[Thing]:
        kind, _, rest = root.partition(":")
        if kind == "p":
            return self.of_parameter(function, rest)
        if kind in ("g", "i", "fn", "cls"):
            return self._named(function, root)
        if kind == "f":
            qualname, _, name = rest.partition(":")
            return self._captured(function.module, qualname, name)
        if kind == "c":
            call = self.stores.facts[function.id].call(int(rest))
            return self.result_of(call, function) if call is not None else []
        if kind == "v":
            return [Object(f"builtins.{rest.split(':')[1]}")]
        if kind == "k":
            return self._constant(rest)
        if kind == "l":
            return self.hinted(function.ir.hints.get(rest, ()), function.module)
        return []

    @staticmethod
    def _constant(text: str) -> list[Thing]:
        name = text.partition(":")[0]
        if name in ("None", "True", "False"):
            return [Constant(text)]
        return [Constant(text), Object(f"builtins.{name}")]

    def _named(self, function: FunctionInfo, root: str) -> list[Thing]:
        return self._meant(self.index.entity_of(function.module, (root,)))

    def _meant(self, entity: Entity | None) -> list[Thing]:
        """What a name of a module, here or through `import`, may hold."""
        if type(entity) is FunctionInfo:
            return [Bound(entity, False)]
        if type(entity) is Variable:
            return self._variable(entity.module, entity.name)
        return [entity] if entity is not None else []

    def _variable(self, module: ModuleInfo, name: str) -> list[Thing]:
        top = module.functions["<module>"]
        found = self.of_stored(self.stores.variables.get((module.name, name), []))
        return found + self.hinted(top.ir.hints.get(name, ()), module)

    def _captured(self, module: ModuleInfo, qualname: str, name: str) -> list[Thing]:
        owner = module.functions.get(qualname)
        if owner is None:
            return []
        found = self.of_stored(self.stores.captured.get((module.name, qualname, name), []))
        if any(param.name == name for param in owner.ir.params):
            found.extend(self.of((f"p:{name}",), owner))
        return found + self.hinted(owner.ir.hints.get(name, ()), module)

    def of_parameter(self, function: FunctionInfo, name: str) -> list[Thing]:
        """By position (`self`), annotation, default and the arguments of its call sites."""
        if function.cls is not None and name == function.self_name:
            if function.is_classmethod:
                return [function.cls]
            return [Instance(function.cls)]
        found: list[Thing] = []
        for param in function.ir.params:
            if param.name != name:
                continue
            if param.kind == "star":
                return [Object("builtins.tuple")]
            if param.kind == "double-star":
                return [Object("builtins.dict")]
            found.extend(self.hinted(param.annotation, function.module))
            found.extend(self.of_value(param.default, function))
        self.open = True
        for value, caller in self.arguments.get((function.id, name), [])[:MAX_SITES]:
            found.extend(self.of_value(value, caller))
        if not found and name == "other" and function.cls is not None:
            found.append(Instance(function.cls))
        return found

    def hinted(self, hint: Value, module: ModuleInfo) -> list[Thing]:
        """An annotation names a class; what it annotates is an instance."""
        found: list[Thing] = []
        for path in hint:
            if path[-1] == ELEMENT:
                continue
            entity = self.index.entity_of(module, path)
            if type(entity) is ClassInfo:
                found.append(Instance(entity))
            elif type(entity) is External:
                found.append(Object(entity.dotted))
        return found

    def _field(self, base: Thing, field: str) -> list[Thing]:
        if type(base) is Instance:
            return self.attribute(base.cls, field, bound=True)
        if type(base) is ClassInfo:
            return self.attribute(base, field, bound=False)
        if type(base) is ModuleInfo:
            return self._meant(self.index.attribute_of(base, field))
        if type(base) is External:
            return [External(canonical(f"{base.dotted}.{field}"))]
        if type(base) is Object and field != ELEMENT:
            if base.dotted in PROCESS_CONTEXTS:
                return [External(canonical(_MULTIPROCESSING + field))]
            if base.dotted in LOCKED_QUEUES and field in INSIDE_QUEUES:
                return [Object(INSIDE_QUEUES[field])]
            return [Member(base.dotted, field)]
        return []

    def attribute(self, cls: ClassInfo, name: str, *, bound: bool) -> list[Thing]:
        """An attribute of an instance (`bound`) or of the class itself."""
        method = cls.method(name)
        if name == "__class__" and bound:
            return [cls]
        if method is not None:
            if method.is_property:
                return self.returned(method) if bound else []
            return [Bound(method, (bound or method.is_classmethod) and not method.is_static)]
        found: list[Thing] = []
        for owner in self.families.bearers(cls, name):
            entries = self.stores.attributes.get((owner.id, name), []) + self.late_attributes.get((owner.id, name), [])
            found.extend(self.of_stored(entries))
            found.extend(self.hinted(owner.ir.hints.get(name, ()), owner.module))
            found.extend(self._hinted_on_self(owner, name))
            nested = owner.module.classes.get(f"{owner.ir.qualname}.{name}")
            if nested is not None:
                found.append(nested)
        return found

    def _hinted_on_self(self, owner: ClassInfo, name: str) -> list[Thing]:
        found: list[Thing] = []
        for method in self.families.constructors_of(owner):
            found.extend(self.hinted(method.ir.hints.get(f"{method.self_name}.{name}", ()), owner.module))
        return found

    def result_of(self, call: Call, function: FunctionInfo) -> list[Thing]:
        """What a call may return."""
        found: list[Thing] = []
        for callee in self.of_value(call.func, function):
            found.extend(self._made_by(callee, call, function))
        return found

    def _made_by(self, callee: Thing, call: Call, function: FunctionInfo) -> list[Thing]:
        if type(callee) is ClassInfo:
            return [Instance(callee)]
        if type(callee) is Bound:
            return self.returned(callee.function)
        if type(callee) is External:
            return self._made_outside(callee.dotted, call, function)
        if type(callee) is Member:
            return self._made_by_member(callee, call, function)
        if type(callee) is Instance:
            method = callee.cls.method("__call__")
            return self.returned(method) if method is not None else []
        return []

    def _made_outside(self, dotted: str, call: Call, function: FunctionInfo) -> list[Thing]:
        if dotted in ("functools.partial", "functools.partialmethod") and call.args:
            skipped = sum(not argument.name for argument in call.args) - 1
            things = self.of_value(call.args[0].value, function)
            return [Bound(t.function, t.bound, t.skipped + skipped) if isinstance(t, Bound) else t for t in things]
        if dotted in ("dataclasses.field", "attr.ib", "attrs.field", "attr.attrib", "pydantic.Field", "field"):
            return self._made_by_factory(call, function)
        if dotted == "builtins.type" and len(call.args) == 1:
            things = self.of_value(call.args[0].value, function)
            return [thing.cls for thing in things if isinstance(thing, Instance)]
        if dotted == "builtins.super":
            return self._super(function)
        if dotted in ("copy.copy", "copy.deepcopy", "typing.cast", "weakref.proxy") and call.args:
            return list(self.of_value(call.args[-1].value, function))
        if dotted in ("builtins.sorted", "builtins.list") and call.args:
            return [Object("builtins.list")]
        if dotted in RETURNS:
            return [Object(RETURNS[dotted])]
        return [Object(SAME_OBJECT.get(dotted, dotted))]

    def _made_by_factory(self, call: Call, function: FunctionInfo) -> list[Thing]:
        found: list[Thing] = []
        for argument in call.args:
            if argument.name in ("default_factory", "factory"):
                for thing in self.of_value(argument.value, function):
                    found.extend(self._made_by(thing, call, function))
            elif argument.name == "default":
                found.extend(self.of_value(argument.value, function))
        return found

    def _super(self, function: FunctionInfo) -> list[Thing]:
        owner = function
        while owner.cls is None and owner.ir.parent in owner.module.functions:
            owner = owner.module.functions[owner.ir.parent]
        if owner.cls is None:
            return []
        return [Instance(base) for base in owner.cls.mro[1:2]]

    def _made_by_member(self, callee: Member, call: Call, function: FunctionInfo) -> list[Thing]:
        dotted = f"{callee.dotted}.{callee.name}"
        if dotted in RETURNS:
            return [Object(RETURNS[dotted])]
        if callee.dotted.startswith("multiprocessing.managers.") and f"threading.{callee.name}" in LOCK_FACTORIES:
            return [Object(_MULTIPROCESSING + callee.name)]
        if callee.name in _SELF_RETURNING:
            return [Object(callee.dotted)]
        if callee.name in TAKING_METHODS:
            return self._taken(call, function)
        return []

    def _taken(self, call: Call, function: FunctionInfo) -> list[Thing]:
        found: list[Thing] = []
        for path in call.func[:2]:
            found.extend(self.of((*path[:-1], ELEMENT), function))
        for argument in call.args[1:2]:
            found.extend(self.of_value(argument.value, function))
        return found

    def returned(self, function: FunctionInfo) -> list[Thing]:
        """What a function may return, by its annotation and its return statements."""
        found = self.hinted(function.ir.returns, function.module)
        if function.ir.is_generator and not function.is_contextmanager:
            return [Object("builtins.generator")]
        if function.is_contextmanager:
            for node in self.stores.facts[function.id].yields[:MAX_SITES]:
                found.extend(self.of_value(node.value, function))
            return found
        for node_ in self.stores.facts[function.id].returns[:MAX_SITES]:
            found.extend(self.of_value(node_.value, function))
        return found
