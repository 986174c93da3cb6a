"""RL504: names of arguments that the target does not know, or that it is given twice."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

import libcst as cst

from racelint.fixes.starting_call import Repair, StartingCall, in_place_of
from racelint.program.names.signatures import Given, own_parameters
from racelint.program.thread_use.thread_arguments import Target


def renamed(starting: StartingCall, target: Target, given: Given) -> Iterator[Repair]:
    """One name that does not fit becomes that of a parameter that it resembles, or of the only one that is missing."""
    own = own_parameters(target.function, bound=target.bound)
    plain = [param for param in own if param.kind in ("plain", "positional")]
    free = [p for p in [*plain[given.positional :], *(p for p in own if p.kind == "keyword")] if p.kind != "positional"]
    words = given.keywords or frozenset()
    wrong = sorted(words - {param.name for param in free})
    if len(wrong) != 1 or wrong[0] in target.keywords:
        return
    left = [param for param in free if param.name not in words]
    near = get_close_matches(wrong[0], [param.name for param in left], n=2, cutoff=0.7)
    missing = [param.name for param in left if not param.has_default]
    wanted = near if len(near) == 1 else missing
    if len(wanted) != 1 or (missing and wanted != missing):
        return
    twice = any(param.name == wrong[0] for param in own)
    doubt = f"another argument may be the one that is wrong: `{wrong[0]}` is given twice" if twice else ""
    if not near and not twice:
        doubt = f"the target may have been meant to take `{wrong[0]}`"
    said = f"Give `{wrong[0]}` by the name of the parameter: `{wanted[0]}`"
    for arg in starting.call.args:
        fresh = _with_name(arg, wrong[0], wanted[0], packed=arg is starting.kwargs)
        if fresh is not arg:
            yield Repair(in_place_of(starting.call, arg, fresh), said, doubt)


def _with_name(arg: cst.Arg, old: str, new: str, *, packed: bool) -> cst.Arg:
    """The argument with the name changed: its own, or that of an entry of `kwargs`."""
    if not packed:
        named = arg.keyword is not None and arg.keyword.value == old
        return arg.with_changes(keyword=cst.Name(new)) if named else arg
    value = arg.value
    if isinstance(value, cst.Dict):
        entries = [_with_key(element, old, new) for element in value.elements]
        changed = any(fresh is not own for fresh, own in zip(entries, value.elements, strict=True))
        return arg.with_changes(value=value.with_changes(elements=entries)) if changed else arg
    return arg


def _with_key(element: cst.BaseDictElement, old: str, new: str) -> cst.BaseDictElement:
    key = element.key if isinstance(element, cst.DictElement) else None
    if not isinstance(key, cst.SimpleString) or key.evaluated_value != old:
        return element
    return element.with_changes(key=key.with_changes(value=f"{key.prefix}{key.quote}{new}{key.quote}"))
