"""What a thread, process, timer or pool task is given, held against what it runs takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec.structs import replace

from racelint.model.summary import Argument, Call, Path, Value
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.signatures import Given, misfit
from racelint.program.objects.families import descendants
from racelint.program.objects.partials import partial_at
from racelint.program.objects.things import Bound, Constant, Instance, Object, Thing
from racelint.program.threads.roots import StartCall

_SEQUENCES = frozenset({"builtins.tuple", "builtins.list"})
_SCALARS = frozenset({"builtins.int", "builtins.float", "builtins.str", "builtins.bytes", "builtins.bool"})
_EACH_TAKES_ONE = ("imap", "imap_unordered", "map_async")
_HARMLESS_DECORATORS = ("staticmethod", "classmethod", "abstractmethod", "override", "final", "lru_cache", "cache")


MisfitKind = Literal["group", "packed", "keys", "names", "signature"]
"""A callable in the slot before the target; `args` that is no tuple; `args` that is a dict; `kwargs` that is none;
arguments that the target does not take."""


class Misgiven(msgspec.Struct, frozen=True):
    """`call` is given something wrong: `problem` says what, `advice` what it should be."""

    kind: MisfitKind
    function: FunctionInfo
    call: Call
    problem: str
    advice: str
    certain: bool
    target: FunctionInfo | None = None


class Target(msgspec.Struct, frozen=True):
    """A function that is run, and what is given before its own arguments (by functools.partial)."""

    function: FunctionInfo
    bound: bool
    before: int = 0
    keywords: frozenset[str] = frozenset()


class ThreadArguments:
    """All calls of a program that give a thread what it cannot take."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def found(self) -> Iterator[Misgiven]:
        """In source order, one for each call."""
        for start in self.program.start_calls:
            wrong = self.of(start)
            if wrong is not None:
                yield wrong

    def of(self, start: StartCall) -> Misgiven | None:
        """What is wrong with one of them."""
        if start.starter.kind not in ("thread", "timer", "process", "pool") or _is_for_another(start):
            return None
        return self._group(start) or self._packed(start) or self._mapping(start) or self._signature(start)

    def _group(self, start: StartCall) -> Misgiven | None:
        """A callable in the slot before the target: the group of a Thread, the interval of a Timer."""
        plain = [argument for argument in start.call.args if not argument.name]
        if not start.starter.deferred or not plain or any(a.name.startswith("*") for a in start.call.args):
            return None
        things = self.program.types.of_value(plain[0].value, start.function)
        if not things or not all(isinstance(thing, (Bound, ClassInfo)) for thing in things):
            return None
        if start.starter.kind == "timer":
            wrong = "the interval is a callable"
            return Misgiven("group", start.function, start.call, wrong, "the interval comes first", True)
        slot = "the first positional argument is the group, which must be None"
        return Misgiven("group", start.function, start.call, slot, "name it: `target=`", True)

    def _packed(self, start: StartCall) -> Misgiven | None:
        """`args=(x)` and `args="x"`."""
        argument = self._args_of(start)
        if argument is None or not argument.value:
            return None
        if self.is_scalar(argument.value, start.function):
            return Misgiven("packed", start.function, start.call, "`args` is no tuple", "write `args=(x,)`", True)
        things = self.program.types.of_value(argument.value, start.function)
        if argument.bracketed and not any(_is_sequence(thing) for thing in things):
            target = self.target(start)
            one = target is not None and not misfit(target.function, _after(target, 1, frozenset()), bound=target.bound)
            none = target is not None and bool(
                misfit(target.function, _after(target, 0, frozenset()), bound=target.bound)
            )
            if one and none:
                wrong = "`args` is in brackets, but no tuple"
                return Misgiven("packed", start.function, start.call, wrong, "write `args=(x,)`", False)
        return None

    def _mapping(self, start: StartCall) -> Misgiven | None:
        """`args={"name": 1}`, which gives the keys, and `kwargs=(1,)`, which raises."""
        args, named = self._args_of(start), self._kwargs_of(start)
        target = self.target(start)
        keys = _keys(args.value) if args is not None else None
        if keys and target is not None and keys <= {param.name for param in target.function.ir.params}:
            wrong = "`args` is a dict, of which only the keys are handed over"
            return Misgiven("keys", start.function, start.call, wrong, "write `kwargs=`", True)
        if named is None or not named.value:
            return None
        things = self.program.types.of_value(named.value, start.function)
        if things and all(_is_scalar(thing) or _is_display(thing) for thing in things):
            wrong = "`kwargs` is no dict"
            return Misgiven("names", start.function, start.call, wrong, 'name each argument: `kwargs={"x": x}`', True)
        return None

    def is_scalar(self, value: Value, function: FunctionInfo) -> bool:
        """Whether a value is certainly a number, a text or the like: neither None nor a container."""
        things = self.program.types.of_value(value, function)
        return bool(things) and all(_is_scalar(thing) for thing in things)

    def _args_of(self, start: StartCall) -> Argument | None:
        plain = [argument for argument in start.call.args if not argument.name]
        for argument in start.call.args:
            if argument.name == "args":
                return argument
        return plain[start.starter.args] if 0 <= start.starter.args < len(plain) else None

    @staticmethod
    def _kwargs_of(start: StartCall) -> Argument | None:
        plain = [argument for argument in start.call.args if not argument.name]
        if start.starter.args < 0 or any(argument.name.startswith("*") for argument in start.call.args):
            return None
        for argument in start.call.args:
            if argument.name in ("kwargs", "kwds"):
                return argument
        return plain[start.starter.args + 1] if len(plain) > start.starter.args + 1 else None

    def _signature(self, start: StartCall) -> Misgiven | None:
        target, given = self.target(start), self.given(start)
        problem = "" if target is None or given is None else misfit(target.function, given, bound=target.bound)
        if target is None or not problem:
            return None
        name = target.function.qualname.rpartition(".")[2]
        wrong = f"`{name}` cannot be called so: {problem}"
        return Misgiven("signature", start.function, start.call, wrong, "", True, target.function)

    def target(self, start: StartCall) -> Target | None:
        """The one function that is run, where its signature is certainly its own."""
        if len(start.target) != 1:
            return None
        return self._resolved(start.target[0], start.function)

    def _resolved(self, path: Path, function: FunctionInfo) -> Target | None:
        partial = partial_at(path, function, self.program.stores, self.program.types)
        if partial is not None:
            inner = self._resolved(partial.args[0].value[0], function) if len(partial.args[0].value) == 1 else None
            if inner is None or any(argument.name.startswith("*") for argument in partial.args):
                return None
            names = frozenset(argument.name for argument in partial.args if argument.name)
            count = sum(not argument.name for argument in partial.args) - 1
            return replace(inner, before=inner.before + count, keywords=inner.keywords | names)
        things = self.program.types.of(path, function)
        if len(things) != 1:
            return None
        thing = things[0]
        if isinstance(thing, Bound) and not thing.skipped and self._is_plain(thing):
            return Target(thing.function, thing.bound)
        if isinstance(thing, ClassInfo):
            return self._constructor(thing)
        if isinstance(thing, Instance):
            method = thing.cls.method("__call__")
            return Target(method, True) if method is not None and self._is_plain(Bound(method, True)) else None
        return None

    def _is_plain(self, thing: Bound) -> bool:
        """Its own signature counts: nothing wraps it, and nothing overrides it."""
        for decorator in thing.function.ir.decorators:
            if any(path[-1].rpartition(":")[2] not in _HARMLESS_DECORATORS for path in decorator.value):
                return False
        cls = thing.function.cls
        overridden = cls is not None and any(thing.function.ir.name in c.ir.methods for c in descendants(cls))
        return not overridden and not thing.function.is_property

    def _constructor(self, cls: ClassInfo) -> Target | None:
        known = not cls.all_external_bases() and not cls.ir.metaclass and not cls.ir.decorators
        method = cls.method("__init__")
        if not known or method is None or cls.method("__new__") is not None or method.ir.decorators:
            return None
        return Target(method, True)

    def given(self, start: StartCall) -> Given | None:
        """What the target is called with, a partial's own included; None where that is not known."""
        target, given = self.target(start), self._handed(start)
        if target is None or given is None:
            return given
        return Given(target.before + given.positional, given.more, _joined(given.keywords, target.keywords))

    def _handed(self, start: StartCall) -> Given | None:
        plain = [argument for argument in start.call.args if not argument.name]
        if any(argument.name.startswith("*") for argument in start.call.args) and start.starter.args != -1:
            return None
        name = start.call.func[0][-1].rpartition(":")[2]
        if start.starter.many:
            if name.startswith("starmap"):
                return None
            rest = len(plain) - start.starter.target - 1
            pool = name in _EACH_TAKES_ONE or self.is_pool(start)
            return Given(1 if pool else rest, False, frozenset()) if rest > 0 else None
        if start.starter.args == -1:
            return self._rest(start, plain, name)
        if start.starter.args < 0:
            return None
        return self._of_packed(start)

    def is_pool(self, start: StartCall) -> bool:
        """A pool's `map` takes one iterable and a chunk size, an executor's as many iterables as there are."""
        things = self.program.types.of(start.call.func[0][:-1], start.function)
        return any(isinstance(thing, Object) and "multiprocessing" in thing.dotted for thing in things)

    @staticmethod
    def _rest(start: StartCall, plain: list[Argument], name: str) -> Given | None:
        """`submit(f, a, b, c=d)`; `run_in_executor` passes no keywords on, trio and anyio take options by name."""
        starred = any(argument.name == "*" for argument in start.call.args)
        if any(argument.name == start.starter.keyword for argument in start.call.args):
            return None
        passes_names = name in ("submit", "to_thread", "deferToThread", "run_in_threadpool", "spawn")
        if any(argument.name == "**" for argument in start.call.args):
            names: frozenset[str] | None = None
        else:
            names = frozenset(a.name for a in start.call.args if a.name and a.name != "*" and passes_names)
        return Given(len(plain) - start.starter.target - 1, starred, names)

    def _is_settled(self, value: Value, start: StartCall) -> bool:
        """Nothing else is done to a list or dict that is displayed before."""
        parts = _display(value)
        if not parts or parts[1] == "tuple":
            return True
        facts = self.program.stores.facts[start.function.id]
        for call in facts.calls:
            given = any(value[0] in argument.value for argument in call.args) and call is not start.call
            if given or any(path[:1] == value[0] for path in call.func):
                return False
        return not any(
            a.path[:1] == value[0] and a.kind != "read" and a.key[:1] in "'\"" for a in facts.accesses if a.key
        )

    def _of_packed(self, start: StartCall) -> Given | None:
        packed = self._args_of(start)
        count = 0 if packed is None else _size(packed.value)
        if packed is not None and not self._is_settled(packed.value, start):
            return None
        named = self._kwargs_of(start)
        settled = named is None or self._is_settled(named.value, start)
        keywords = frozenset() if named is None else _keys(named.value) if settled else None
        if packed is not None and packed.value == (("k:None",),):
            count = 0
        return Given(count, False, keywords) if count is not None else None


def _is_for_another(start: StartCall) -> bool:
    """`super().__init__(…)` that comes to a constructor of the program before that of the thread class."""
    cls = start.function.cls
    named = bool(start.call.func) and start.call.func[0][-1] == "__init__"
    return named and (cls is None or any("__init__" in base.ir.methods for base in cls.mro[1:]))


def _after(target: Target, positional: int, keywords: frozenset[str]) -> Given:
    return Given(target.before + positional, False, keywords | target.keywords)


def _joined(left: frozenset[str] | None, right: frozenset[str]) -> frozenset[str] | None:
    return left | right if left is not None else None


def _is_sequence(thing: Thing) -> bool:
    return not isinstance(thing, Object) or thing.dotted in _SEQUENCES or thing.dotted not in _SCALARS


def _is_scalar(thing: Thing) -> bool:
    if isinstance(thing, Constant):
        return thing.text not in ("None",)
    return isinstance(thing, Object) and thing.dotted in _SCALARS


def _is_display(thing: Thing) -> bool:
    return isinstance(thing, Object) and thing.dotted in (*_SEQUENCES, "builtins.set")


def _display(value: Value) -> list[str]:
    """The parts of the one display that a value is: number, kind, size."""
    if len(value) != 1 or len(value[0]) != 1 or not value[0][0].startswith("v:"):
        return []
    return value[0][0].split(":")[1:]


def _size(value: Value) -> int | None:
    """The number of elements of a displayed list or tuple."""
    parts = _display(value)
    return int(parts[2]) if len(parts) == 3 and parts[1] in ("list", "tuple") and parts[2].isdigit() else None


def _keys(value: Value) -> frozenset[str] | None:
    """The keys of a displayed dict."""
    parts = _display(value)
    if len(parts) != 3 or parts[1] != "dict" or parts[2] == "?":
        return None
    return frozenset(key for key in parts[2].split(",") if key)
