"""What an access path may hold: a flow-insensitive, bounded type inference over what is stored where.

Never more than a few objects per path; an empty answer means unknown. Sources: assignments, annotations, constructor
calls, return values, arguments at the call sites of the program.
"""

from __future__ import annotations

from racelint.knowledge.threads import INSIDE_QUEUES, LOCKED_QUEUES, PROCESS_CONTEXTS
from racelint.model.summary import ELEMENT, Path, Value
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
from racelint.program.objects.results import MULTIPROCESSING, Results
from racelint.program.objects.things import Bound, Constant, Instance, Member, Object, Thing

MAX_OBJECTS = 6
MAX_DEPTH = 24


class Types:
    """Answers `of(path, function)` from the stores of the program, memoised."""

    def __init__(self, index: Index, stores: Stores) -> None:
        self.index = index
        self.stores = stores
        self.arguments: dict[tuple[str, str], list[tuple[Value, FunctionInfo]]] = {}
        """By function id and parameter: what call sites pass."""
        self.late_attributes: dict[tuple[str, str], list[Stored]] = {}
        """Writes to attributes of objects that are not `self`."""
        self.open = False
        """Whether an answer since this was last False depends on what calls pass, or was cut short."""
        self.asker: Question | FunctionInfo | None = None
        """What the next question is asked for; None for what nobody has to know of later."""
        self._under_way = 0
        """How many questions are: a cycle is cut where it closes."""
        self._lowest = MAX_DEPTH
        """The shallowest question that an answer under way was cut at: answers below it are incomplete."""
        self._tried: list[Question] = []
        self._settled = False
        self._askers = Askers()
        self._elements = Elements(self)
        self._results = Results(self)
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
            self._askers.change(function, name)
        known.append((value, caller))

    def forget_outdated(self) -> set[FunctionInfo]:
        """Drop the answers that hang on what was learnt since; the functions whose calls were resolved by them."""
        questions, functions = self._askers.outdated()
        for question in questions:
            question.things = None
        self._forget_tries()
        return functions

    def _forget_tries(self) -> None:
        for question in self._tried:
            question.tried = False
        self._tried.clear()

    def _forget_questions(self) -> None:
        """All of them, and what they were asked for: they go in circles."""
        self._forget_tries()
        for function in self.index.functions:
            for question in function.questions.values():
                question.askers.clear()
            function.questions.clear()

    def settle(self) -> None:
        """All arguments are known: nothing changes any more."""
        self._settled = True
        for function in self.index.functions:
            for path, question in function.questions.items():
                if question.things is not None:
                    function.meanings[path] = question.things
        self._forget_questions()

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
        self._forget_questions()

    @staticmethod
    def _is_self(function: FunctionInfo, root: str) -> bool:
        return bool(function.self_name) and root == f"p:{function.self_name}"

    def of(self, path: Path, function: FunctionInfo) -> tuple[Thing, ...]:
        """What `path` may hold in `function`."""
        known = function.meanings.get(path)
        if known is not None:
            return known
        question = function.questions.get(path)
        if question is None:
            plain = self._plain(path[0], function) if len(path) == 1 else None
            if plain is not None:
                function.meanings[path] = plain
                return plain
            question = function.questions[path] = Question(function, path)
        things = question.things
        if things is None:
            if question.depth >= 0 or self._under_way >= MAX_DEPTH:
                self._lowest = min(self._lowest, question.depth if question.depth >= 0 else MAX_DEPTH)
                things = ()
            else:
                around, self.open = self.open, False
                things = self._answer(question)
                if not self.open:
                    self.open = around
                    return things
        self.open = True
        if self.asker is not None and not self._settled:
            question.askers.append(self.asker)
        return things

    def _answer(self, question: Question) -> tuple[Thing, ...]:
        path, function = question.path, question.function
        asker, self.asker = self.asker, question
        outer, self._lowest = self._lowest, MAX_DEPTH
        depth = question.depth = self._under_way
        self._under_way += 1
        try:
            found = self._infer(path, function)
        finally:
            self._under_way -= 1
            question.depth = -1
            self.asker = asker
        result = tuple(dict.fromkeys(found))[:MAX_OBJECTS] if len(found) > 1 else tuple(found)
        if not self.open:
            function.meanings[path] = result
            if not question.askers:
                del function.questions[path]
        elif self._lowest >= depth or question.tried:
            question.things = result
            if self._settled:
                function.meanings[path] = result
        else:
            question.tried = True
            self._tried.append(question)
        self._lowest = min(outer, self._lowest)
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

    def _plain(self, root: str, function: FunctionInfo) -> tuple[Thing, ...] | None:
        """What a root holds whatever is stored and passed anywhere; None where it depends on that."""
        kind, _, rest = root.partition(":")
        if kind in ("g", "i", "fn", "cls"):
            entity = self.index.entity_of(function.module, (root,))
            return tuple(self._meant(entity)) if type(entity) is not Variable else None
        if kind == "p" and rest == function.self_name and function.cls is not None:
            return (function.cls if function.is_classmethod else Instance(function.cls),)
        if kind == "v":
            return (Object(f"builtins.{rest.split(':')[1]}"),)
        if kind == "k":
            name = rest.partition(":")[0]
            constant = Constant(rest)
            return (constant,) if name in ("None", "True", "False") else (constant, Object(f"builtins.{name}"))
        return None

    def _root(self, root: str, function: FunctionInfo) -> list[Thing]:
        """What a root holds that is not plain."""
        kind, _, rest = root.partition(":")
        if kind == "p":
            return self.of_parameter(function, rest)
        if kind == "c":
            call = self.stores.facts[function.id].call(int(rest))
            return self._results.of(call, function) if call is not None else []
        if kind in ("g", "i"):
            return self._meant(self.index.entity_of(function.module, (root,)))
        if kind == "f":
            qualname, _, name = rest.partition(":")
            return self._captured(function.module, qualname, name)
        if kind == "l":
            return self.hinted(function.ir.hints.get(rest, ()), function.module)
        return []

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
                return [External(canonical(MULTIPROCESSING + field))]
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
