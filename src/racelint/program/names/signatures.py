"""Whether arguments fit the signature of a function, as a call of it would find out."""

from __future__ import annotations

import msgspec

from racelint.model.summary import Parameter
from racelint.program.names.index import FunctionInfo


class Given(msgspec.Struct, frozen=True):
    """`positional`: how many positional arguments are certainly given; `more`: perhaps more, from a `*`.

    `keywords` are None where a `**` may give any.
    """

    positional: int
    more: bool
    keywords: frozenset[str] | None


def own_parameters(function: FunctionInfo, *, bound: bool) -> list[Parameter]:
    """Those that the call fills: all but `self` of a bound method."""
    return list(function.ir.params)[1 if bound and function.self_name else 0 :]


def misfit(function: FunctionInfo, given: Given, *, bound: bool) -> str:
    """What the call would raise TypeError for, in words; empty where it fits, or may."""
    params = own_parameters(function, bound=bound)
    plain = [param for param in params if param.kind in ("plain", "positional")]
    if not any(param.kind == "star" for param in params) and given.positional > len(plain):
        return f"it takes {_counted(len(plain))}, and is given {given.positional}"
    if given.keywords is None:
        return ""
    return _unknown(params, given) or _doubled(plain, given) or _missing(params, plain, given)


def _unknown(params: list[Parameter], given: Given) -> str:
    names = {param.name for param in params if param.kind in ("plain", "keyword")}
    if given.keywords is None or any(param.kind == "double-star" for param in params):
        return ""
    unknown = sorted(given.keywords - names)
    return f"it has no parameter `{unknown[0]}`" if unknown else ""


def _doubled(plain: list[Parameter], given: Given) -> str:
    twice = [p.name for p in plain[: given.positional] if given.keywords and p.name in given.keywords]
    return f"`{twice[0]}` is given twice" if twice else ""


def _missing(params: list[Parameter], plain: list[Parameter], given: Given) -> str:
    keywords = given.keywords or frozenset()
    left = [] if given.more else plain[given.positional :]
    left = left + [param for param in params if param.kind == "keyword"]
    wanted = [param.name for param in left if not param.has_default and param.name not in keywords]
    if not wanted:
        return ""
    names = " and ".join(f"`{name}`" for name in wanted)
    return f"it is given no {names}"


def _counted(number: int) -> str:
    return "no arguments" if number == 0 else "1 argument" if number == 1 else f"{number} arguments"
