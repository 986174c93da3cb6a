"""Names across files: modules, classes with their method resolution order, functions, imports."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, final

import msgspec

from racelint.knowledge.containers import TYPE_ALIASES
from racelint.knowledge.threads import SAME_OBJECT
from racelint.model.source import SourceFile
from racelint.model.summary import (
    Call,
    ClassDef,
    Directive,
    Function,
    Import,
    Loop,
    ModuleSummary,
    Path,
    Raise,
    Span,
    Value,
)
from racelint.program.names.linearization import linearized

if TYPE_CHECKING:
    from racelint.program.names.askers import Question
    from racelint.program.objects.things import Thing


class ModuleInfo(msgspec.Struct, eq=False):
    """One analysed file."""

    source: SourceFile
    summary: ModuleSummary
    functions: dict[str, FunctionInfo] = {}
    classes: dict[str, ClassInfo] = {}
    imports: dict[str, Import] = {}
    stars: list[Import] = []
    variables: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.source.module

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        if self.source.path.endswith("__init__.py"):
            return self.name
        return self.name.rpartition(".")[0]


@final
class FunctionInfo(msgspec.Struct, eq=False):
    """One function, method, lambda, class body or module body of the program."""

    module: ModuleInfo
    ir: Function
    cls: ClassInfo | None = None
    is_static: bool = False
    is_classmethod: bool = False
    is_property: bool = False
    is_contextmanager: bool = False
    id: str = ""
    self_name: str = ""
    """The parameter that is the instance (or class); empty for static methods and plain functions."""
    own: Path = ()
    """The path of that object; empty where there is none."""
    positional: tuple[str, ...] = ()
    """The names of the parameters that take arguments by position, the instance's included."""
    spans: dict[int, Span] = {}
    """Where its events stand, by their number; filled when first asked for (`values.event_span`)."""
    loops: dict[int, list[Loop]] | None = None
    """Filled when first asked for (`thread_root.loops_around`)."""
    meanings: dict[Path, tuple[Thing, ...]] = {}
    """What access paths may hold here, as far as that is settled: filled and read by `types.Types`, very often."""
    questions: dict[Path, Question] = {}  # what is not settled
    of_tests: bool | None = None
    """Filled when first asked for (`test_cases.is_of_tests`)."""
    starts_nothing: bool = False
    """Whether no call of it starts or makes anything that runs on its own, whatever it is given (`roots`)."""
    overridden: list[FunctionInfo] | None = None
    """Filled when first asked for (`users.overridden`)."""

    def __post_init__(self) -> None:
        self.id = f"{self.module.name}:{self.ir.qualname}"

    @property
    def qualname(self) -> str:
        return self.ir.qualname

    @property
    def symbol(self) -> str:
        """The qualified name as people write it."""
        return re.sub(r"#\d+", "", self.ir.qualname)

    @property
    def order(self) -> tuple[str, tuple[int, int, int, int], str]:
        return (self.module.source.display, self.ir.span, self.ir.qualname)

    @property
    def is_abstract(self) -> bool:
        """Nothing but a docstring, `pass` or a raise: those who derive from its class say what it does."""
        said: list[Value] = []
        for node in self.ir.body:
            if type(node) is Raise:
                said.append(node.types)
            elif type(node) is Call:
                said.append(node.func)
        raises_alone = all(type(node) is Raise for node in self.ir.body)
        return raises_alone or any(path == ("g:NotImplementedError",) for value in said for path in value)

    def __repr__(self) -> str:
        return f"<{self.id}>"


class ClassInfo(msgspec.Struct, eq=False):
    """One class; `bases` are classes of the program, `external_bases` dotted names of the rest."""

    module: ModuleInfo
    ir: ClassDef
    bases: list[ClassInfo] = []
    external_bases: list[str] = []
    subclasses: list[ClassInfo] = []
    mro: list[ClassInfo] = []
    id: str = ""
    own: dict[str, FunctionInfo] = {}
    """Its methods without those of its bases; `level.setter` is the name of what sets a property."""
    descendants: tuple[ClassInfo, ...] | None = None
    """Filled when first asked for (`families.descendants`)."""
    _external: tuple[str, ...] | None = None
    _methods: dict[str, FunctionInfo] = {}

    def __post_init__(self) -> None:
        self.id = f"{self.module.name}:{self.ir.qualname}"

    @property
    def name(self) -> str:
        return self.ir.name

    def all_methods(self) -> Iterator[FunctionInfo]:
        """Its own methods and those of its bases, also where it has another one in their place."""
        return (method for base in self.mro for method in base.own.values())

    def method(self, name: str) -> FunctionInfo | None:
        """The method that an instance of exactly this class has under `name`."""
        return self._methods.get(name)

    def name_of(self, method: FunctionInfo) -> str:
        """The name under which the class has a method of its own: `level.setter` for what sets a property."""
        if not method.is_property:
            return method.ir.name
        return next((key for key, own in self.own.items() if own is method), method.ir.name)

    def derive(self, mro: list[ClassInfo]) -> None:
        """Set the method resolution order; until then the class has no methods."""
        self.mro = mro
        self._methods = {}
        for cls in reversed(mro):
            self._methods.update(cls.own)

    def all_external_bases(self) -> tuple[str, ...]:
        """The dotted names of the bases outside of the program, those of the bases inside it included."""
        if self._external is None:
            self._external = tuple(name for cls in self.mro for name in cls.external_bases)
        return self._external

    def __repr__(self) -> str:
        return f"<{self.id}>"


@final
class Variable(msgspec.Struct, frozen=True):
    """A module-level name that holds a value."""

    module: ModuleInfo
    name: str


@final
class External(msgspec.Struct, frozen=True):
    """Something outside of the program, by its canonical dotted name."""

    dotted: str


Entity = ModuleInfo | ClassInfo | FunctionInfo | Variable | External


class Index:
    """Every module, class and function of the program, and what names in them denote."""

    def __init__(self, modules: Sequence[tuple[SourceFile, ModuleSummary]]) -> None:
        self.modules: dict[str, ModuleInfo] = {}
        self.all_modules: list[ModuleInfo] = []
        self.functions: list[FunctionInfo] = []
        self.classes: list[ClassInfo] = []
        self._names: dict[tuple[ModuleInfo, str], Entity | None] = {}
        for source, summary in modules:
            self._add(source, summary)
        for cls in self.classes:
            self._resolve_bases(cls)
        for cls in self.classes:
            cls.derive(linearized(cls))
            for base in cls.bases:
                base.subclasses.append(cls)
        for function in self.functions:
            self._classify(function)
        self.methods_by_name: dict[str, list[FunctionInfo]] = {}
        for cls in self.classes:
            for name, method in cls.own.items():
                self.methods_by_name.setdefault(name, []).append(method)

    def _add(self, source: SourceFile, summary: ModuleSummary) -> None:
        info = ModuleInfo(source, summary, variables=frozenset(summary.variables))
        self.modules.setdefault(source.module, info)
        self.all_modules.append(info)
        for entry in summary.imports:
            if entry.name == "*":
                info.stars.append(entry)
            elif entry.name:
                info.imports.setdefault(entry.name, entry)
        first = len(self.classes)
        for cls_ir in summary.classes:
            cls = ClassInfo(info, cls_ir)
            info.classes[cls_ir.qualname] = cls
            self.classes.append(cls)
        for ir in summary.functions:
            function = FunctionInfo(info, ir, info.classes.get(ir.cls) if ir.cls else None)
            info.functions[ir.qualname] = function
            self.functions.append(function)
        for cls in self.classes[first:]:
            cls.own = {key: info.functions[qualname] for key, qualname in cls.ir.methods.items()}

    @cached_property
    def classes_by_id(self) -> dict[str, ClassInfo]:
        """All classes, by `ClassInfo.id`."""
        return {cls.id: cls for cls in self.classes}

    @cached_property
    def properties(self) -> frozenset[str]:
        """The names that properties have in any class."""
        return frozenset(
            name.partition(".")[0] for cls in self.classes for name, method in cls.own.items() if method.is_property
        )

    def _resolve_bases(self, cls: ClassInfo) -> None:
        for value in cls.ir.bases:
            for path in value[:1]:
                entity = self.entity_of(cls.module, path)
                if type(entity) is ClassInfo and entity is not cls:
                    cls.bases.append(entity)
                elif type(entity) is External:
                    cls.external_bases.append(entity.dotted)

    def _classify(self, function: FunctionInfo) -> None:
        for decorator in function.ir.decorators:
            for path in decorator.value:
                name = path[-1].split(":")[-1]
                if name == "staticmethod":
                    function.is_static = True
                elif name == "classmethod":
                    function.is_classmethod = True
                elif name in (
                    "property",
                    "cached_property",
                    "setter",
                    "deleter",
                    "abstractproperty",
                    "locked_cached_property",
                ):
                    function.is_property = True
                elif name in ("contextmanager", "asynccontextmanager"):
                    function.is_contextmanager = True
        if function.ir.name in ("__new__", "__init_subclass__", "__class_getitem__"):
            function.is_classmethod = True
        params = [param for param in function.ir.params if param.kind in ("plain", "positional")]
        function.positional = tuple(param.name for param in params)
        if function.cls is not None:
            if "builtins.type" in function.cls.all_external_bases():
                function.is_classmethod = False
            if params and params[0] is function.ir.params[0] and not function.is_static:
                function.self_name = params[0].name
                function.own = (f"p:{params[0].name}",)

    def resolve_module(self, module: ModuleInfo, name: str, level: int) -> str:
        """The absolute dotted name of an import's module."""
        if level == 0:
            return name
        package = module.package
        for _ in range(level - 1):
            package = package.rpartition(".")[0]
        return f"{package}.{name}" if name and package else package or name

    def entity_of(self, module: ModuleInfo, path: Path) -> Entity | None:
        """What a path that starts at a module-level name denotes, as far as names alone can tell."""
        root, *fields = path
        entity: Entity | None
        kind, _, rest = root.partition(":")
        if kind == "g":
            entity = self.name(module, rest)
        elif kind == "cls":
            entity = module.classes.get(rest)
        elif kind == "fn":
            entity = module.functions.get(rest)
        elif kind == "i":
            level, name, attribute = rest.split(":", 2)
            entity = self.imported(module, Import("", name, attribute, int(level)))
        else:
            return None
        for attribute in fields:
            entity = self.attribute_of(entity, attribute)
            if entity is None:
                return None
        return entity

    def attribute_of(self, entity: Entity | None, attribute: str) -> Entity | None:
        """A static attribute: of a module, a class, or something outside."""
        if type(entity) is ModuleInfo:
            return self.name(entity, attribute) or self.modules.get(f"{entity.name}.{attribute}")
        if type(entity) is External:
            return External(canonical(f"{entity.dotted}.{attribute}"))
        if type(entity) is ClassInfo:
            method = entity.method(attribute)
            if method is not None:
                return method
            return entity.module.classes.get(f"{entity.ir.qualname}.{attribute}")
        return None

    def name(self, module: ModuleInfo, name: str) -> Entity | None:
        """What a module-level name denotes; builtins are External `builtins.NAME`."""
        key = (module, name)
        if key not in self._names:
            self._names[key] = self._name(module, name, frozenset())
        return self._names[key]

    def _name(self, module: ModuleInfo, name: str, seen: frozenset[tuple[str, str]]) -> Entity | None:
        if (module.name, name) in seen:
            return None
        seen = seen | {(module.name, name)}
        if name in module.functions and module.functions[name].ir.kind == "function":
            return module.functions[name]
        if name in module.classes:
            return module.classes[name]
        if name in module.imports:
            return self.imported(module, module.imports[name], seen)
        if name in module.variables:
            return Variable(module, name)
        for star in module.stars:
            target = self.modules.get(self.resolve_module(module, star.module, star.level))
            if target is not None:
                found = self._name(target, name, seen)
                if found is not None and not _is_builtin(found):
                    return found
        if name.startswith("__"):
            return None
        return External(f"builtins.{name}")

    def imported(
        self, module: ModuleInfo, entry: Import, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> Entity | None:
        """What an import binds."""
        dotted = self.resolve_module(module, entry.module, entry.level)
        dotted = module.source.renamed.get(dotted, dotted)
        target = self.modules.get(dotted)
        if not entry.attribute:
            return target if target is not None else External(canonical(dotted))
        submodule = self.modules.get(f"{dotted}.{entry.attribute}")
        if target is not None:
            found = self._name(target, entry.attribute, seen)
            if found is not None and not _is_builtin(found):
                return found
            if submodule is not None:
                return submodule
            return External(canonical(f"{dotted}.{entry.attribute}"))
        if submodule is not None:
            return submodule
        return External(canonical(f"{dotted}.{entry.attribute}"))


def canonical(dotted: str) -> str:
    """One name for things that have several: `typing.Dict` is `builtins.dict`."""
    dotted = TYPE_ALIASES.get(dotted, dotted)
    return SAME_OBJECT.get(dotted, dotted)


def _is_builtin(entity: Entity) -> bool:
    return type(entity) is External and entity.dotted.startswith("builtins.")


def directives_at(module: ModuleInfo, line: int) -> Iterable[Directive]:
    """Directives on a line, or alone on the line above it."""
    for directive in module.summary.directives:
        if directive.line == line or (directive.own_line and directive.line == line - 1):
            yield directive
