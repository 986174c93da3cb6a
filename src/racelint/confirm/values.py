"""A value for a parameter: annotation first, then what the body does with it, then its name."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from racelint.confirm.annotations import AnnotationReader, drawn
from racelint.confirm.call_sites import CallSite
from racelint.confirm.errors import CannotBuild
from racelint.confirm.fixtures import Fixtures
from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, Parameter
from racelint.confirm.project import Project
from racelint.confirm.usage import Usage, merged, usage_of, usage_of_attribute
from racelint.confirm.vocabulary import by_attributes, by_name, factory_named


@dataclass
class Guesses:
    """Parameters whose value rests on nothing but their name, and what to give them instead of the usual.

    A call of the same name may be one of another function altogether, so mined arguments are no more than a guess.
    """

    made: dict[str, None] = field(default_factory=dict)
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Parameters that may be something else than the usual, by name, and other sources of objects, as `Cls()`."""
    beforehand: dict[str, None] = field(default_factory=dict)
    """Statements that have to be run before the module is imported."""
    network: bool = True
    """Whether the code may connect to what it wants; else its sockets connect to nobody."""
    drawn: dict[str, None] = field(default_factory=dict)
    """Parameters whose annotation only hypothesis may know a value for."""
    chosen: dict[str, str] = field(default_factory=dict)
    mining: bool = True
    """Whether arguments of calls are taken from calls of functions that are named alike."""
    mined: bool = False
    """Whether some were."""
    mining_objects: bool = True
    """Whether objects are made as calls of their class elsewhere make them."""
    mined_objects: bool = False
    """Whether some were."""
    sample: int | None = 0
    """Which of the recorded calls of each function is taken; None for none."""
    sampled: bool = False
    """Whether some were."""
    sites: dict[tuple[object, ...], tuple[ModuleOutline, CallSite] | None] = field(default_factory=dict)
    """The call that was found for a name and its parameters, with the module it stands in."""

    def unnoted(self, make: Callable[[], str]) -> tuple[str, ...]:
        """What `make` makes up, without a note that it was; empty where it cannot."""
        made, drawn = dict(self.made), dict(self.drawn)
        try:
            return (make(),)
        except CannotBuild:
            return ()
        finally:
            self.made, self.drawn = made, drawn

    @property
    def uncertain(self) -> list[str]:
        """The parameters that the user may know a better value for."""
        return list({**self.made, **self.drawn})


@dataclass
class Values:
    """Makes up values of parameters as text. `instance` builds an object of a project class, or raises CannotBuild."""

    project: Project
    fixtures: Fixtures
    annotations: AnnotationReader
    instance: Callable[[ModuleOutline, ClassOutline], str]
    guesses: Guesses

    def class_of(self, module: ModuleOutline, parameter: Parameter, function: FunctionOutline) -> ClassOutline | None:
        named = self.annotations.project_class(parameter.annotation, module)
        return named or self._duck_class(module, usage_of(parameter.name, function.node))

    def _duck_class(self, module: ModuleOutline, usage: Usage) -> ClassOutline | None:
        """The first class of the module that has every attribute the body takes from the parameter."""
        if not usage.attributes:
            return None
        for cls in module.classes.values():
            if not cls.nested and usage.attributes <= self.project.attributes(module, cls):
                return cls
        return None

    def value(
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
            if "drawn(" in expression:
                self.guesses.drawn.setdefault(parameter.name)
            return expression
        guessed = self._guessed(module, parameter, usage)
        return guessed if parameter.annotation is None else drawn(parameter.annotation, module, guessed)

    def offer_stand_in(self, module: ModuleOutline, parameter: Parameter) -> None:
        """An object of the project that cannot be made as it should may be one of any shape as well."""
        if self.annotations.project_class(parameter.annotation, module) is not None:
            self.guesses.options.setdefault(parameter.name, (f"stand_in({parameter.name!r})",))

    def _annotated(self, module: ModuleOutline, parameter: Parameter, cls: ClassOutline | None) -> str | None:
        annotation = parameter.annotation
        if annotation is None:
            return None
        if cls is not None and ast.unparse(annotation).rpartition(".")[2] == "Self":
            return self.instance(module, cls)
        try:
            expression = self.annotations.expression(annotation, module)
        except CannotBuild:
            return drawn(annotation, module, f"stand_in({parameter.name!r})")
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

    def _guessed(self, module: ModuleOutline, parameter: Parameter, usage: Usage) -> str:
        chosen = self.guesses.chosen.get(parameter.name)
        if chosen:
            return chosen
        factory = factory_named(parameter.name)
        if factory is not None:
            return factory
        if usage.called and not usage.attributes:
            self.guesses.made.setdefault(parameter.name)
            return "lambda *args, **kwargs: 1"
        duck = self._duck_class(module, usage)
        if duck is not None:
            with contextlib.suppress(CannotBuild):
                return self.instance(module, duck)
        asked = _mapping(usage)
        if asked is not None:
            return asked
        known = by_attributes(frozenset(usage.attributes))
        if known is not None:
            return known
        self.guesses.made.setdefault(parameter.name)
        return f"stand_in({parameter.name!r})" if usage.attributes else _plain_guess(parameter, usage)


def _mapping(usage: Usage) -> str | None:
    """A dict with the keys that the body asks for, None where it asks for none or for what dicts do not have."""
    if not usage.keys or not usage.subscripted | bool(usage.attributes) or not usage.attributes <= set(dir(dict)):
        return None
    return f"{{{', '.join(f'{key!r}: 1' for key in sorted(usage.keys))}}}"


def _plain_guess(parameter: Parameter, usage: Usage) -> str:
    if usage.entered:
        return "threading.Lock()"
    if usage.arithmetic:
        return "1.0" if by_name(parameter.name) == "1.0" else "1"
    named = by_name(parameter.name)
    if usage.iterated or usage.subscripted:
        return named if named is not None and named[0] in "[{'" else "[1, 2]"
    return named if named is not None else "1"


def class_stub(module: ModuleOutline, cls: ClassOutline, parameter: str) -> str:
    inside = "..." if parameter == "..." else f"{parameter}=..."
    return f"import {module.name}\n\n\ndef make_{cls.name}():\n    return {module.name}.{cls.qualname}({inside})\n"
