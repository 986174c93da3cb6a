"""Builds the objects and arguments of a scenario as source text, without importing the code they belong to."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from racelint.confirm.annotations import AnnotationReader
from racelint.confirm.call_sites import CallSite, call_sites
from racelint.confirm.fixtures import Fixtures
from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, Parameter
from racelint.confirm.project import Project
from racelint.confirm.usage import Usage, merged, usage_of, usage_of_attribute
from racelint.confirm.vocabulary import by_attributes, by_name, imports_of

DEPTH = 5
"""Objects inside objects: a constructor that needs more is not built."""


class CannotBuild(Exception):
    """Something of a scenario cannot be made up; `what` says which parameter of what, `stub` is a fixture to paste."""

    def __init__(self, what: str, stub: str) -> None:
        super().__init__(what)
        self.what = what
        self.stub = stub


class NotApplicable(Exception):
    """A variant of a scenario has no meaning for these operations: nothing that the user could supply."""


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
    statements: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    subjects: dict[tuple[str, str], str] = field(default_factory=dict)
    """Names of the objects that operations work on, by file and class: others that need one get the same."""
    _depth: int = 0
    _apart: tuple[str, str] | None = None
    """The class whose next object must be a new one: a transfer from an account to itself shows nothing."""

    def __post_init__(self) -> None:
        self.annotations = AnnotationReader(self.project, self.instance, self.reference)

    @property
    def setup(self) -> str:
        """The set-up so far: imports, the user's fixtures, then the objects in the order they were asked for."""
        used = {module for statement in self.statements for module in imports_of(statement)} | self.imports
        return "\n".join([*(f"import {module}" for module in sorted(used)), *self.fixtures.prelude, *self.statements])

    def reference(self, module: ModuleOutline, name: str) -> str:
        """How a fragment names a class or function of a project module."""
        if module.path == self.outline.path:
            return f"target.{name}"
        self.imports.add(module.name)
        return f"{module.name}.{name}"

    def bind(self, hint: str, expression: str) -> str:
        """Give a value a name in the set-up, so that all threads share the one object; plain literals stay inline."""
        if _is_literal(expression):
            return expression
        name, count = hint, 1
        while name in self.names:
            count += 1
            name = f"{hint}_{count}"
        self.names.add(name)
        self.statements.append(f"{name} = {expression}")
        return name

    def subject(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """The name of the object of `cls` that the operations share. Raises CannotBuild."""
        key = (str(module.path), cls.qualname)
        if key not in self.subjects:
            name = self.bind("subject", self.instance(module, cls))
            self.subjects[key] = name
        return self.subjects[key]

    def instance(self, module: ModuleOutline, cls: ClassOutline) -> str:
        """The expression that makes an object of `cls`, or names the shared one. Raises CannotBuild."""
        key = (str(module.path), cls.qualname)
        if key in self.subjects and key != self._apart:
            return self.subjects[key]
        made = self.fixtures.maker(cls.name)
        if made is not None:
            return f"{made}()"
        if cls.nested:
            raise CannotBuild(f"`{cls.qualname}` is defined inside a function", _stub(module, cls, "..."))
        if self._depth >= DEPTH:
            raise CannotBuild(f"`{cls.qualname}` needs objects nested {DEPTH} deep", _stub(module, cls, "..."))
        self._depth += 1
        try:
            return self._construct(module, cls)
        finally:
            self._depth -= 1

    def arguments(self, module: ModuleOutline, function: FunctionOutline, cls: ClassOutline | None) -> Arguments:
        """Arguments to call `function` with, mined from its callers or made up. Raises CannotBuild."""
        self._apart = (str(module.path), cls.qualname) if cls is not None else None
        sites = call_sites(module, function.name, constructor=False) if _worth_mining(function) else []
        site = next((s for s in sites if _fits(function.parameters, s)), None)
        if site is not None:
            return self._mined(module, function, site)
        positional: list[str] = []
        keywords: list[tuple[str, str]] = []
        shared: list[tuple[int, str]] = []
        for parameter in function.required:
            value = self._value(module, parameter, [function], cls)
            bound = self.bind(f"arg_{parameter.name}", value)
            project_class = self._class_of(module, parameter, function)
            if parameter.kind == "keyword":
                keywords.append((parameter.name, bound))
                continue
            if project_class is not None:
                shared.append((len(positional), project_class.qualname))
            positional.append(bound)
        return Arguments(tuple(positional), tuple(keywords), tuple(shared))

    def _mined(self, module: ModuleOutline, function: FunctionOutline, site: CallSite) -> Arguments:
        named = [p for p in function.parameters if p.kind == "positional"]
        values = []
        for index, text in enumerate(site.arguments):
            parameter = named[index] if index < len(named) else None
            counted = parameter is not None and usage_of(parameter.name, function.node).counted
            text = "3" if counted and _whole_number(text) > 3 else text
            values.append(
                self.bind(f"arg_{parameter.name}" if parameter else f"arg_{index}", self._local(module, text))
            )
        shared = [(i, name) for i, text in enumerate(site.arguments) if (name := _made_class(module, text))]
        keywords = tuple((name, self.bind(f"arg_{name}", self._local(module, text))) for name, text in site.keywords)
        return Arguments(tuple(values), keywords, tuple(shared))

    def _local(self, module: ModuleOutline, text: str) -> str:
        """Mined text says `target` for the module it stands in; name that module from the scenario's."""
        if module.path == self.outline.path or "target." not in text:
            return text
        self.imports.add(module.name)
        return text.replace("target.", f"{module.name}.")

    def _construct(self, module: ModuleOutline, cls: ClassOutline) -> str:
        outer = self.project.outer_bases(module, cls)
        reference = self.reference(module, cls.qualname)
        if {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"} & set(outer):
            return f"next(iter({reference}))"
        if _is_abstract(cls, outer):
            return self._concrete(module, cls)
        owner, constructor = self._constructor(module, cls)
        sites = call_sites(module, cls.name, constructor=True)
        parameters = constructor.parameters if constructor else self._fields(module, cls)
        site = next((s for s in sites if _fits(parameters, s)), None)
        if site is not None and (site.arguments or site.keywords):
            arguments = [self._local(module, text) for text in site.arguments]
            arguments += [f"{name}={self._local(module, text)}" for name, text in site.keywords]
            return f"{reference}({', '.join(arguments)})"
        return self._made_up(owner, module, cls, parameters)

    def _made_up(
        self, owner: ModuleOutline, module: ModuleOutline, cls: ClassOutline, parameters: tuple[Parameter, ...]
    ) -> str:
        reference = self.reference(module, cls.qualname)
        methods = list(self.project.methods(module, cls).values())
        arguments = []
        try:
            for parameter in parameters:
                if parameter.required:
                    value = self._value(owner, parameter, methods, cls, constructing=True)
                    arguments.append(value if parameter.kind == "positional" else f"{parameter.name}={value}")
        except CannotBuild as problem:
            other = self._other_source(module, cls)
            if other is not None:
                return other
            raise CannotBuild(f"{problem.what} (needed by `{cls.qualname}`)", problem.stub) from None
        return f"{reference}({', '.join(arguments)})"

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
        what = f"`{cls.qualname}` is abstract and its module has no subclass that can be built"
        raise CannotBuild(what, _stub(module, cls, "..."))

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

    def _class_of(self, module: ModuleOutline, parameter: Parameter, function: FunctionOutline) -> ClassOutline | None:
        named = self.annotations.project_class(parameter.annotation, module)
        return named or self._duck_class(module, usage_of(parameter.name, function.node))

    def _duck_class(self, module: ModuleOutline, usage: Usage) -> ClassOutline | None:
        """The first class of the module that has every attribute the body takes from the parameter."""
        if not usage.attributes:
            return None
        for cls in module.classes.values():
            if not cls.nested and usage.attributes <= _attributes(self.project, module, cls):
                return cls
        return None

    def _value(
        self,
        module: ModuleOutline,
        parameter: Parameter,
        bodies: list[FunctionOutline],
        cls: ClassOutline | None,
        *,
        constructing: bool = False,
    ) -> str:
        """A value for one required parameter. Annotation, use in the body and name are asked in this order."""
        made = self.fixtures.maker(parameter.name)
        if made is not None:
            return f"{made}()"
        expression = self._annotated(module, parameter, cls)
        usage = self._usage(parameter, bodies, constructing=constructing)
        if usage.counted and (expression is None or expression == "1"):
            return "3"
        if expression is not None:
            return expression
        return self._guessed(module, parameter, usage, cls, constructing=constructing)

    def _annotated(self, module: ModuleOutline, parameter: Parameter, cls: ClassOutline | None) -> str | None:
        annotation = parameter.annotation
        if annotation is None:
            return None
        if cls is not None and ast.unparse(annotation).rpartition(".")[2] == "Self":
            return self.instance(module, cls)
        expression = self.annotations.expression(annotation, module)
        if expression == "1":
            named = by_name(parameter.name) if ast.unparse(annotation).rpartition(".")[2] == "Any" else None
            return named or expression
        return expression

    def _usage(self, parameter: Parameter, bodies: list[FunctionOutline], *, constructing: bool) -> Usage:
        if not constructing:
            return usage_of(parameter.name, bodies[0].node) if bodies else Usage()
        makers = [body for body in bodies if body.name in ("__init__", "__post_init__", "__new__")]
        usage = Usage(stored_as={parameter.name})
        for maker in makers:
            usage = merged(usage, usage_of(parameter.name, maker.node))
        for attribute in sorted(usage.stored_as):
            usage = merged(usage, usage_of_attribute(attribute, [body.node for body in bodies]))
        return usage

    def _guessed(
        self,
        module: ModuleOutline,
        parameter: Parameter,
        usage: Usage,
        cls: ClassOutline | None,
        *,
        constructing: bool,
    ) -> str:
        if usage.called:
            return "lambda *args, **kwargs: 1"
        duck = self._duck_class(module, usage)
        if duck is not None:
            return self.instance(module, duck)
        known = by_attributes(frozenset(usage.attributes))
        if known is not None:
            return known
        if usage.attributes:
            attributes = ", ".join(f"`.{name}`" for name in sorted(usage.attributes))
            owner = f"`{cls.qualname}`" if cls is not None else f"`{module.name}`"
            raise CannotBuild(
                f"parameter `{parameter.name}` of {owner} has no annotation, default or literal argument, and no "
                f"known class has {attributes}",
                _stub(module, cls, parameter.name) if constructing and cls else _value_stub(parameter.name),
            )
        return _plain_guess(parameter, usage)


def _plain_guess(parameter: Parameter, usage: Usage) -> str:
    if usage.entered:
        return "threading.Lock()"
    if usage.arithmetic:
        return "1.0" if by_name(parameter.name) == "1.0" else "1"
    named = by_name(parameter.name)
    if usage.iterated or usage.subscripted:
        return named if named is not None and named[0] in "[{'" else "[1, 2]"
    return named if named is not None else "1"


def _attributes(project: Project, module: ModuleOutline, cls: ClassOutline) -> set[str]:
    """Every attribute that an object of the class is seen to have: methods, fields, `self.x = …`, class variables."""
    found: set[str] = set()
    for _, current in project.lineage(module, cls):
        found.update(current.methods)
        for node in ast.walk(current.node):
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                found.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return found


def _is_abstract(cls: ClassOutline, outer: list[str]) -> bool:
    if "Protocol" in outer and "Protocol" in {base.rpartition(".")[2] for base in cls.bases}:
        return True
    return any(
        "abstract" in ast.unparse(decorator)
        for method in cls.methods.values()
        for decorator in method.node.decorator_list
    )


def _fits(parameters: tuple[Parameter, ...], site: CallSite) -> bool:
    """Whether the call's arguments bind to the parameters."""
    plain = [p for p in parameters if p.kind == "positional"]
    star = any(p.kind == "var-positional" for p in parameters)
    if len(site.arguments) > len(plain) and not star:
        return False
    named = {name for name, _ in site.keywords}
    given = {p.name for p in plain[: len(site.arguments)]} | named
    known = {p.name for p in parameters}
    if named - known and not any(p.kind == "var-keyword" for p in parameters):
        return False
    return all(p.name in given for p in parameters if p.required)


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


def _stub(module: ModuleOutline, cls: ClassOutline, parameter: str) -> str:
    inside = "..." if parameter == "..." else f"{parameter}=..."
    return f"import {module.name}\n\n\ndef make_{cls.name}():\n    return {module.name}.{cls.qualname}({inside})\n"


def _value_stub(parameter: str) -> str:
    return f"def make_{parameter}():\n    return ...\n"
