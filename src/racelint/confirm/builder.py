"""Builds the objects and arguments of a scenario as source text, without importing the code they belong to."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from racelint.confirm.annotations import AnnotationReader
from racelint.confirm.call_sites import CallSite
from racelint.confirm.errors import CannotBuild
from racelint.confirm.fixtures import Fixtures
from racelint.confirm.frameworks import request_maker
from racelint.confirm.mining import Mine
from racelint.confirm.options import TEXTS, other_settings
from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, Parameter
from racelint.confirm.project import Project
from racelint.confirm.sources import Source, is_abstract, other_sources
from racelint.confirm.usage import usage_of
from racelint.confirm.values import Guesses, Values, class_stub
from racelint.confirm.vocabulary import BY_TYPE, COROUTINE, imports_of

WITHOUT_NETWORK = "without_network()"
"""The statement that has the agent stub the sockets of a scenario."""

MOST_SOURCES = 3
"""Functions and subclasses that are tried where an object's constructor does not do."""

DEPTH = 5
"""Objects inside objects: a constructor that needs more is not built."""


@dataclass(frozen=True)
class Arguments:
    """The arguments of one call as text; `shared` names those that are objects of a project class, by class."""

    positional: tuple[str, ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    shared: tuple[tuple[int, str], ...] = ()

    @property
    def text(self) -> str:
        return ", ".join([*self.positional, *(f"{name}={value}" for name, value in self.keywords)])


@dataclass
class Builder:
    """Collects the set-up of one scenario while operations ask it for values.

    `outline` is the module that the scenario binds to `target`.
    """

    project: Project
    outline: ModuleOutline
    fixtures: Fixtures
    guesses: Guesses = field(default_factory=Guesses)
    statements: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    bound: dict[tuple[str, str], str] = field(default_factory=dict)
    """Parameters of one name get one object: what is put in under a key is taken out under it."""
    agreed: dict[str, str] = field(default_factory=dict)
    """Literals by the name of their parameter."""
    subjects: dict[tuple[str, str], str] = field(default_factory=dict)
    """Names of the objects that operations work on, by file and class: others that need one get the same."""
    _building: list[ClassOutline] = field(default_factory=list)
    _apart: tuple[str, str] | None = None
    """The class whose next object must be a new one: a transfer from an account to itself shows nothing."""

    def __post_init__(self) -> None:
        annotations = AnnotationReader(self.project, self.instance, self.reference)
        self.mine = Mine(self.project, self.outline, self.guesses, self.reference)
        self.values = Values(self.project, self.fixtures, annotations, self.instance, self.guesses)

    @property
    def setup(self) -> str:
        """The set-up so far: imports, then the objects in the order they were asked for."""
        used = {module for statement in self.statements for module in imports_of(statement)} | self.imports
        stubs = () if self.guesses.network else (WITHOUT_NETWORK,)
        return "\n".join([*stubs, *(f"import {module}" for module in sorted(used)), *self.statements])

    def reference(self, module: ModuleOutline, name: str) -> str:
        """How a fragment names a class or function of a project module."""
        if module.path == self.outline.path:
            return f"target.{name}"
        self.imports.add(module.name)
        return f"{module.name}.{name}"

    def bind(self, hint: str, expression: str) -> str:
        """Give a value a name in the set-up: all threads share the one object. Literals and coroutines stay inline."""
        if expression == COROUTINE or _is_literal(expression):
            self.imports.update(imports_of(expression))
            return expression
        if (hint, expression) in self.bound:
            return self.bound[hint, expression]
        name, count = hint, 1
        while name in self.names:
            count += 1
            name = f"{hint}_{count}"
        self.names.add(name)
        self.statements.append(f"{name} = {expression}")
        self.bound[hint, expression] = name
        return name

    def subject(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """The name of the object of `cls` that the operations share. Raises CannotBuild."""
        key = (str(module.path), cls.qualname)
        if key not in self.subjects:
            name = self.bind("subject", self._from_other_source(module, cls) or self.instance(module, cls))
            self.subjects[key] = name
        return self.subjects[key]

    def request_handler(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """The expression that makes a handler of `cls`: each thread has its own, as servers do it."""
        definition, expression = request_maker(cls.name, self.reference(module, cls.qualname))
        if definition not in self.statements:
            self.imports |= {"io", "socketserver", "types"}
            self.statements.append(definition)
        return expression

    def fresh(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """The expression that makes a new object of `cls`, also where the operations share one. Raises CannotBuild."""
        self._apart = (str(module.path), cls.qualname)
        try:
            return self.instance(module, cls)
        finally:
            self._apart = None

    def instance(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """The expression that makes an object of `cls`, or names the shared one. Raises CannotBuild."""
        key = (str(module.path), cls.qualname)
        if key in self.subjects and key != self._apart:
            return self.subjects[key]
        made = self.fixtures.maker(cls.name)
        if made is not None:
            return f"{made}()"
        if cls.nested:
            raise CannotBuild(f"`{cls.qualname}` is defined inside a function", class_stub(module, cls, "..."))
        if len(self._building) >= DEPTH:
            raise CannotBuild(f"`{cls.qualname}` needs objects nested {DEPTH} deep", class_stub(module, cls, "..."))
        if cls in self._building:
            # A node's parent, a child's owner: the chain has to end somewhere.
            return "None"
        self._building.append(cls)
        try:
            return self._construct(module, cls)
        finally:
            self._building.pop()

    def arguments(self, module: ModuleOutline, function: FunctionOutline, cls: ClassOutline | None) -> Arguments:
        """Arguments to call `function` with, mined from its callers or made up. Raises CannotBuild."""
        self._apart = (str(module.path), cls.qualname) if cls is not None else None
        try:
            return self._arguments(module, function, cls)
        finally:
            self._apart = None

    def _arguments(self, module: ModuleOutline, function: FunctionOutline, cls: ClassOutline | None) -> Arguments:
        recorded = self._recorded(module, function.qualname, cls, function.parameters)
        worth = not recorded and self.guesses.mining and _worth_mining(function)
        site = self.mine.call_site(module, function.name, function.parameters) if worth else None
        if site is not None:
            self.guesses.mined = True
            return self._with_options(module, function, cls, self._mined(function, site))
        positional: list[str] = []
        keywords: list[tuple[str, str]] = []
        shared: list[tuple[int, str]] = []
        for parameter in function.parameters:
            if not parameter.required and parameter.name not in recorded:
                continue
            value = recorded.get(parameter.name) or self._text(
                parameter, self.values.value(module, parameter, [function], cls)
            )
            bound = self.bind(f"arg_{parameter.name}", self._agreed(parameter, value))
            project_class = self.values.class_of(module, parameter, function)
            if parameter.kind == "keyword" or not parameter.required:
                keywords.append((parameter.name, bound))
                continue
            if project_class is not None:
                shared.append((len(positional), project_class.qualname))
            positional.append(bound)
        return self._with_options(module, function, cls, Arguments(tuple(positional), tuple(keywords), tuple(shared)))

    def _with_options(
        self, module: ModuleOutline, function: FunctionOutline, cls: ClassOutline | None, arguments: Arguments
    ) -> Arguments:
        """The arguments, and what is chosen for parameters with a default that they leave out."""
        plain = [p.name for p in function.parameters if p.kind == "positional"]
        given = {*plain[: len(arguments.positional)], *(name for name, _ in arguments.keywords)}
        more = []
        for parameter in function.parameters:
            if parameter.default is not None and parameter.name not in given:
                usual = partial(self.values.value, module, parameter, [function], cls)
                chosen = self._option(parameter, [function], usual)
                more += [(parameter.name, self.bind(f"arg_{parameter.name}", chosen))] if chosen else []
        return replace(arguments, keywords=(*arguments.keywords, *more))

    def _text(self, parameter: Parameter, value: str) -> str:
        """The value, or what is chosen in the place of a text that may have to be one of some kind."""
        if value != BY_TYPE["str"] or parameter.name in self.guesses.made:
            return value
        self.guesses.options.setdefault(parameter.name, TEXTS)
        return self.guesses.chosen.get(parameter.name, value)

    def _recorded(
        self, module: ModuleOutline, qualname: str, cls: ClassOutline | None, parameters: tuple[Parameter, ...]
    ) -> dict[str, str]:
        """What the user's tests pass to a function of the module, or to one that the class inherits, by parameter.

        Defaults are left out, and what a fixture makes. Raises CannotBuild.
        """
        if self.guesses.sample is None or not self.fixtures.recorded.calls:
            return {}
        owners = [owner for owner, _ in self.project.lineage(module, cls)] if cls is not None else [module]
        found = (self.fixtures.recorded.of(owner.name, qualname, self.guesses.sample) for owner in owners)
        call = next((call for call in found if call is not None), None)
        if call is None:
            return {}
        self.guesses.sampled = True
        self.imports.update(call.imports)
        values: dict[str, str] = {}
        for parameter in parameters:
            text = call.values.get(parameter.name) or self._object(call.objects.get(parameter.name, ""))
            is_default = parameter.default is not None and ast.unparse(parameter.default) == text
            if text and not is_default and self.fixtures.maker(parameter.name) is None:
                values[parameter.name] = text
        return values

    def _object(self, name: str) -> str:
        """An object of the project class `module:qualname`, empty where there is none. Raises CannotBuild."""
        module, _, qualname = name.partition(":")
        found = self.project.named(module) if qualname else None
        return self.instance(found, found.classes[qualname]) if found and qualname in found.classes else ""

    def _agreed(self, parameter: Parameter, text: str) -> str:
        """The value that the scenario's other operations pass under this name: what one puts in another takes out."""
        return self.agreed.setdefault(parameter.name, text) if _is_literal(text) else text

    def _mined(self, function: FunctionOutline, site: CallSite) -> Arguments:
        named = [p for p in function.parameters if p.kind == "positional"]
        values = []
        for index, text in enumerate(site.arguments):
            parameter = named[index] if index < len(named) else None
            counted = parameter is not None and usage_of(parameter.name, function.node).counted
            text = "3" if counted and _whole_number(text) > 3 else text
            text = self._agreed(parameter, text) if parameter is not None else text
            values.append(self.bind(f"arg_{parameter.name}" if parameter else f"arg_{index}", text))
        shared = [(i, name) for i, text in enumerate(site.arguments) if (name := _made_class(self.outline, text))]
        keywords = tuple((name, self.bind(f"arg_{name}", text)) for name, text in site.keywords)
        return Arguments(tuple(values), keywords, tuple(shared))

    def _construct(self, module: ModuleOutline, cls: ClassOutline) -> str:
        outer = self.project.outer_bases(module, cls)
        reference = self.reference(module, cls.qualname)
        if {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"} & set(outer):
            return f"next(iter({reference}))"
        if is_abstract(cls, outer, self.project.methods(module, cls).values()):
            return self._concrete(module, cls)
        return self._call_constructor(module, cls, reference)

    def _call_constructor(self, module: ModuleOutline, cls: ClassOutline, reference: str) -> str:
        owner, constructor = self._constructor(module, cls)
        parameters = constructor.parameters if constructor else self._fields(module, cls)
        recorded = self._recorded(module, cls.qualname, None, parameters)
        worth = not recorded and self.guesses.mining_objects
        site = self.mine.call_site(module, cls.name, parameters, constructor=True) if worth else None
        if site is not None:
            self.guesses.mined_objects = True
            arguments = [*site.arguments, *(f"{name}={text}" for name, text in site.keywords)]
            return f"{reference}({', '.join(arguments)})"
        return self._made_up(owner, module, cls, parameters, reference, recorded)

    def _made_up(
        self,
        owner: ModuleOutline,
        module: ModuleOutline,
        cls: ClassOutline,
        parameters: tuple[Parameter, ...],
        reference: str,
        recorded: dict[str, str],
    ) -> str:
        methods = list(self.project.methods(module, cls).values())
        arguments = []
        try:
            for parameter in parameters:
                value = recorded.get(parameter.name) or self._option(parameter, methods)
                if parameter.required and not value:
                    value = self.values.value(owner, parameter, methods, cls, constructing=True)
                    value = self._text(parameter, value)
                    self.values.offer_stand_in(owner, parameter)
                if value:
                    is_positional = parameter.required and parameter.kind == "positional"
                    arguments.append(value if is_positional else f"{parameter.name}={value}")
        except CannotBuild as problem:
            other = self._other_source(module, cls)
            if other is not None:
                return other
            raise CannotBuild(f"{problem.what} (needed by `{cls.qualname}`)", problem.stub) from None
        other = self._other_source(module, cls) if any("stand_in(" in argument for argument in arguments) else None
        return other or f"{reference}({', '.join(arguments)})"

    def _option(
        self, parameter: Parameter, bodies: list[FunctionOutline], usual: Callable[[], str] | None = None
    ) -> str:
        """What is chosen for a parameter that has a default, empty for the default.

        `usual` makes up the value that it would get without one, for the default None.
        """
        options = self.guesses.options
        if parameter.name not in options:
            other = other_settings(parameter, bodies)
            is_none = isinstance(parameter.default, ast.Constant) and parameter.default.value is None
            if not other and is_none and usual is not None:
                other = self.guesses.unnoted(usual)
            options.update({parameter.name: other} if other else {})
        return self.guesses.chosen.get(parameter.name, "") if parameter.name in options else ""

    def _from_other_source(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """The object as another source than its constructor makes it, where one is chosen; else empty."""
        known = f"{cls.qualname}()"
        sources = list(islice(other_sources(self.project, module, cls), MOST_SOURCES))
        if sources and self.fixtures.maker(cls.name) is None:
            self.guesses.options.setdefault(known, tuple(map(str, range(len(sources)))))
        chosen = self.guesses.chosen.get(known)
        return self._made_by(module, sources[int(chosen)]) if chosen else ""

    def _made_by(self, module: ModuleOutline, source: Source) -> str:
        if isinstance(source, ClassOutline):
            return self.instance(module, source)
        owner = module.classes.get(source.owner)
        receiver = f"{self.reference(module, source.owner)}." if owner is not None else "target."
        if owner is not None and source.kind == "method":
            receiver = f"{self.subject(module, owner)}."
        return f"{receiver}{source.name}({self.arguments(module, source, owner).text})"

    def _constructor(self, module: ModuleOutline, cls: ClassOutline) -> tuple[ModuleOutline, FunctionOutline | None]:
        for owner, current in self.project.lineage(module, cls):
            if "__init__" in current.methods:
                return owner, current.methods["__init__"]
            if current.fields is not None:
                return owner, None
        for owner, current in self.project.lineage(module, cls):
            if "__new__" in current.methods:
                return owner, current.methods["__new__"]
        return module, None

    def _fields(self, module: ModuleOutline, cls: ClassOutline) -> tuple[Parameter, ...]:
        """The generated constructor's parameters, those of the bases first, as `dataclass` orders them."""
        found: dict[str, Parameter] = {}
        for _, current in reversed(self.project.lineage(module, cls)):
            found.update({parameter.name: parameter for parameter in current.fields or ()})
        return tuple(found.values())

    def _concrete(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """An object of the first subclass in the module that can be built: abstract classes have none of their own."""
        for candidate in module.classes.values():
            ancestors = [c.qualname for _, c in self.project.lineage(module, candidate)[1:]]
            if cls.qualname in ancestors and not candidate.nested:
                try:
                    return self.instance(module, candidate)
                except CannotBuild:
                    continue
        return self._call_constructor(module, cls, f"concrete({self.reference(module, cls.qualname)})")

    def _other_source(self, module: ModuleOutline, cls: ClassOutline) -> str | None:
        """A factory class method that takes nothing, or an object that the module itself keeps."""
        for method in cls.methods.values():
            returns = method.node.returns
            named = returns is not None and ast.unparse(returns).strip("'\"") in (cls.name, "Self", "typing.Self")
            if method.kind in ("classmethod", "staticmethod") and named and not method.required:
                return f"{self.reference(module, cls.qualname)}.{method.name}()"
        for name, value in module.constants.items():
            if isinstance(value, ast.Call) and ast.unparse(value.func) == cls.qualname:
                return self.reference(module, name)
        return None


def _made_class(module: ModuleOutline, text: str) -> str:
    """The class of the module that a mined argument constructs, empty for any other argument."""
    head = text.partition("(")[0].removeprefix("target.")
    return head if text.startswith("target.") and "(" in text and head in module.classes else ""


def _worth_mining(function: FunctionOutline) -> bool:
    return bool(function.required) or any(p.kind == "var-positional" for p in function.parameters)


def _is_literal(expression: str) -> bool:
    """Whether the text is an immutable literal, which threads may share or not, all the same."""
    try:
        value = ast.literal_eval(expression)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return not isinstance(value, list | dict | set)


def _whole_number(text: str) -> int:
    return int(text) if text.isdigit() else 0
