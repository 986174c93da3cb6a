"""RL504: arguments that the target does not take, where one change alone makes them fit."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.misnamed_arguments import renamed
from racelint.fixes.starting_call import Repair, StartingCall, elements_of, in_place_of, keyworded, with_args
from racelint.program.names.signatures import own_parameters
from racelint.program.thread_use.thread_arguments import Target, ThreadArguments

_OF_TUPLES = {"map": "starmap", "map_async": "starmap_async"}
_PAIRS = ("zip", "enumerate")


def fitted(starting: StartingCall) -> Iterator[Repair]:
    """The changes that may make them fit; the trial tells whether they do."""
    arguments = ThreadArguments(starting.program)
    target, given = arguments.target(starting.start), arguments.given(starting.start)
    if target is None or given is None:
        return
    if starting.start.starter.many:
        yield from _spread_each(starting)
        return
    yield from _spread(starting, target)
    if target.bound:
        yield from _given_again(starting)
    yield from renamed(starting, target, given)
    yield from _of_self(starting)
    yield from _taking_nothing(starting, target)


def _spread(starting: StartingCall, target: Target) -> Iterator[Repair]:
    """`submit(work, (a, b))`, `submit(work, args=(a, b))`, `args=((a, b),)`, `Thread(None, work, (a,))`."""
    call, said = starting.call, "Give the arguments one by one"
    if starting.start.starter.args == -1:
        whole = starting.named("args", "kwargs")
        if whole is not None and whole.keyword is not None:
            yield from _spread_named(starting, target)
        elif len(starting.rest) == 1 and (parts := elements_of(starting.rest[0].value)) and len(parts) > 1:
            fresh = [cst.Arg(part) for part in parts]
            yield Repair(in_place_of(call, starting.rest[0], *fresh), said)
        return
    given = starting.args
    if given is None:
        plain, slot = starting.plain, starting.start.starter.args - 1
        if 1 < slot == len(plain) - 1 and elements_of(plain[slot].value):
            yield Repair(in_place_of(call, plain[slot], keyworded(plain[slot], "args")), "Name the arguments: `args=`")
        return
    parts = elements_of(given.value)
    inner = elements_of(parts[0]) if parts is not None and len(parts) == 1 else None
    if parts and inner is not None and len(inner) != 1:
        yield Repair(in_place_of(call, given, given.with_changes(value=parts[0])), said)


def _spread_named(starting: StartingCall, target: Target) -> Iterator[Repair]:
    """A pool's `submit` takes the arguments themselves: `args` and `kwargs` are those of a Thread."""
    packed, named = starting.named("args"), starting.named("kwargs")
    known = {param.name for param in target.function.ir.params}
    parts = elements_of(packed.value) if packed is not None else []
    words = _words(named.value) if named is not None else []
    if parts is None or words is None or known & {"args", "kwargs"}:
        return
    kept = [arg for arg in starting.call.args if arg not in (packed, named)]
    plain = [arg for arg in kept if arg.keyword is None]
    others = [arg for arg in kept if arg.keyword is not None]
    fresh = [*plain, *(cst.Arg(part) for part in parts), *others, *words]
    yield Repair(with_args(fresh), "Give the arguments one by one")


def _words(value: cst.BaseExpression) -> list[cst.Arg] | None:
    """The entries of a displayed dict as arguments by name; None where they cannot be that."""
    if not isinstance(value, cst.Dict):
        return None
    found: list[cst.Arg] = []
    for element in value.elements:
        text = element.key if isinstance(element, cst.DictElement) else None
        key = text.evaluated_value if isinstance(text, cst.SimpleString) else None
        if not isinstance(key, str) or not key.isidentifier():
            return None
        found.append(keyworded(cst.Arg(element.value), key))
    return found


def _spread_each(starting: StartingCall) -> Iterator[Repair]:
    """`pool.map(work, zip(a, b))`."""
    call, rest = starting.call, starting.rest
    name = call.func.attr.value if isinstance(call.func, cst.Attribute) else ""
    if not rest:
        return
    first = rest[0].value
    maker = first.func.value if isinstance(first, cst.Call) and isinstance(first.func, cst.Name) else ""
    if ThreadArguments(starting.program).is_pool(starting.start):
        if name in _OF_TUPLES and (maker in _PAIRS or _holds_tuples(first)):
            better = _OF_TUPLES[name]
            func = call.func.with_changes(attr=cst.Name(better))
            yield Repair(lambda updated: updated.with_changes(func=func), f"Spread each tuple: `{better}`")
    elif maker == "zip" and len(rest) == 1 and isinstance(first, cst.Call) and _is_plain(first):
        yield Repair(in_place_of(call, rest[0], *first.args), "Give the iterables one by one: `map` zips them")


def _is_plain(call: cst.Call) -> bool:
    return all(arg.keyword is None and not arg.star for arg in call.args)


def _holds_tuples(value: cst.BaseExpression) -> bool:
    """Whether all elements of what is written are tuples of one length."""
    if isinstance(value, (cst.ListComp, cst.GeneratorExp)):
        return isinstance(value.elt, cst.Tuple)
    parts = elements_of(value) or []
    lengths = {len(part.elements) for part in parts if isinstance(part, cst.Tuple)}
    return len(lengths) == 1 and all(isinstance(part, cst.Tuple) for part in parts)


def _given_again(starting: StartingCall) -> Iterator[Repair]:
    """`Thread(target=self.run, args=(self, 1))`."""
    target = starting.target
    if target is None or not isinstance(target.value, cst.Attribute):
        return
    owner, spelled = target.value.value, cst.Module([]).code_for_node
    said = f"Do not give `{spelled(owner)}` again: the method has it"
    rest, given = starting.rest, starting.args
    if rest and spelled(rest[0].value) == spelled(owner):
        yield Repair(in_place_of(starting.call, rest[0]), said)
    elif given is not None and isinstance(given.value, (cst.Tuple, cst.List)):
        parts = elements_of(given.value) or []
        if parts and spelled(parts[0]) == spelled(owner):
            fewer = _without_first(given.value)
            emptied = fewer is None and starting.can_go(given)
            new = [] if emptied else [given.with_changes(value=fewer or cst.Tuple([]))]
            yield Repair(in_place_of(starting.call, given, *new), said)


def _without_first(value: cst.Tuple | cst.List) -> cst.Tuple | cst.List | None:
    """None where nothing is left; a tuple of one keeps its comma."""
    left = list(value.elements[1:])
    if not left:
        return None
    if isinstance(value, cst.Tuple) and len(left) == 1:
        left = [left[0].with_changes(comma=cst.Comma())]
    return value.with_changes(elements=left)


def _of_self(starting: StartingCall) -> Iterator[Repair]:
    """`Thread(target=Job.run, args=(1,))` in a method of Job."""
    target, function = starting.target, starting.start.function
    if target is None or function.cls is None or not function.self_name or not isinstance(target.value, cst.Attribute):
        return
    owner = target.value.value
    if isinstance(owner, cst.Name) and owner.value == function.cls.name and not function.is_classmethod:
        bound = target.with_changes(value=target.value.with_changes(value=cst.Name(function.self_name)))
        doubt = "the object may be what is missing among the arguments, and another one than this"
        said = f"Run the method of `{function.self_name}`"
        yield Repair(in_place_of(starting.call, target, bound), said, doubt)


def _taking_nothing(starting: StartingCall, target: Target) -> Iterator[Repair]:
    """`Thread(target=work, args=(1,))` where `work` takes nothing."""
    own = own_parameters(target.function, bound=target.bound)
    given = [arg for arg in (starting.args, starting.kwargs) if arg is not None] or starting.rest
    if own or target.before or target.keywords or not given or not starting.can_go(*given):
        return
    kept = [arg for arg in starting.call.args if arg not in given]
    name = target.function.ir.name
    shown = "the lambda" if name == "<lambda>" else f"`{name}`"
    yield Repair(with_args(kept), "Give nothing: the target takes nothing", f"{shown} may have been meant to take it")
