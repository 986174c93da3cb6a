"""RL504: the target, its arguments and its keywords, each in the slot of the call that is for it."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.fixes.starting_call import Repair, StartingCall, in_place_of, in_tuple, keyworded, with_args
from racelint.program.thread_use.thread_arguments import MisfitKind, ThreadArguments


def in_place(starting: StartingCall, kind: MisfitKind) -> Iterator[Repair]:
    """How what stands in the wrong slot, or is no tuple and no dict, comes right."""
    if kind == "packed":
        yield from _packed(starting)
    elif kind == "group":
        yield from (_interval if starting.start.starter.kind == "timer" else _target)(starting)
    elif kind == "keys":
        yield from _renamed(starting, starting.args, "kwargs")
    elif kind == "names" and starting.args is None:
        yield from _renamed(starting, starting.kwargs, "args")


def _packed(starting: StartingCall) -> Iterator[Repair]:
    """`args=(x)`, and `Timer(5, work, a, b)`."""
    given, more = starting.args, starting.kwargs
    if given is None:
        return
    plain = starting.plain
    rest = plain[starting.start.starter.args :] if given.keyword is None else [given]
    if len(rest) > 1 and more is rest[1] and not isinstance(more.value, cst.Dict):
        whole = rest[0].with_changes(value=in_tuple(*(arg.value for arg in rest)))
        kept = [arg for arg in starting.call.args if arg not in rest[1:]]
        yield Repair(with_args(whole if arg is rest[0] else arg for arg in kept), "Give the arguments in a tuple")
        return
    whole = given.with_changes(value=in_tuple(given.value))
    yield Repair(in_place_of(starting.call, given, whole), "Give the argument in a tuple")


def _interval(starting: StartingCall) -> Iterator[Repair]:
    """`Timer(work, 5)`."""
    plain = starting.plain
    if len(plain) == 1 and starting.named("interval") is not None and starting.named("function") is None:
        named = [keyworded(arg, "function") if arg is plain[0] else arg for arg in starting.call.args]
        yield Repair(with_args(named), "Name the function: the first argument is the interval")
    elif len(plain) > 1:
        first, second, *_ = plain
        turned = {id(first): second.value, id(second): first.value}
        fresh = [arg.with_changes(value=turned.get(id(arg), arg.value)) for arg in starting.call.args]
        yield Repair(with_args(fresh), "Put the interval in front of the function")


def _target(starting: StartingCall) -> Iterator[Repair]:
    """`Thread(work)`, `Thread(work, (1,))`, `Thread(work, 1)`."""
    plain = starting.plain
    if starting.named("target") is not None:
        return
    fresh = [keyworded(plain[0], "target"), *_rest_named(starting, plain[1:])]
    if len(fresh) == 1 < len(plain):
        return
    others = [arg for arg in starting.call.args if arg.keyword is not None]
    said = "Name the target" if len(fresh) == 1 else "Name the target and its arguments"
    yield Repair(with_args([*fresh, *others]), f"{said}: the first argument is the group")


def _rest_named(starting: StartingCall, rest: list[cst.Arg]) -> list[cst.Arg]:
    """What follows the target, by name: a tuple and a dict, or constants that make up the tuple; else nothing."""
    if not rest or (starting.args is not None and starting.args.keyword is not None):
        return []
    first = rest[0]
    if isinstance(first.value, (cst.Tuple, cst.List)) and len(rest) <= 2:
        named = [keyworded(first, "args")]
        if len(rest) == 2 and isinstance(rest[1].value, cst.Dict):
            return [*named, keyworded(rest[1], "kwargs")]
        return named if len(rest) == 1 else []
    arguments, function = ThreadArguments(starting.program), starting.start.function
    if not all(arguments.is_scalar(argument.value, function) for argument, arg in starting.given if arg in rest):
        return []
    return [keyworded(first, "args").with_changes(value=in_tuple(*(arg.value for arg in rest)))]


def _renamed(starting: StartingCall, given: cst.Arg | None, name: str) -> Iterator[Repair]:
    """`args={"name": 1}`, `kwargs=(1,)`."""
    other = starting.args if name == "args" else starting.named("kwargs", "kwds")
    if given is None or other is not None:
        return
    if name == "args" and not isinstance(given.value, (cst.Tuple, cst.List)):
        return
    short = "kwds" if name == "kwargs" and _is_pool(starting) else name
    stands = [arg for arg in starting.plain if arg is not given]
    named = [arg for arg in starting.call.args if arg.keyword is not None and arg is not given]
    fresh = (
        [*stands, keyworded(given, short), *named]
        if given.keyword is None
        else [keyworded(given, short) if arg is given else arg for arg in starting.call.args]
    )
    yield Repair(with_args(fresh), f"Give the arguments as `{short}`")


def _is_pool(starting: StartingCall) -> bool:
    """Whether it is `apply` or `apply_async`, which have another word for it."""
    return starting.start.call.func[0][-1].rpartition(":")[2].startswith("apply")
