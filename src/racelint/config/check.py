"""What is wrong with a configuration, as its author wrote it: the key, what it may hold, the nearest right one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from msgspec import inspect

from racelint.config.settings import Settings

_KINDS: dict[type, str] = {
    bool: "a boolean",
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a table",
}


def complaints(table: object, prefix: str = "") -> Iterator[str]:
    """One sentence for each key or value in `table` that `Settings` does not allow; `prefix` is where it stands."""
    yield from _check(table, _settings_type(), prefix)


def nearest(word: str, known: Iterable[str], cutoff: float = 0.5) -> str:
    """`; did you mean `x`?` for the closest of `known`, or all of them where none is as close as `cutoff` (0 to 1)."""
    import difflib

    choices = list(known)
    close = difflib.get_close_matches(word.replace("_", "-").lower(), choices, n=1, cutoff=cutoff)
    return f"; did you mean `{close[0]}`?" if close else f"; the choices are {', '.join(choices)}"


@cache
def _settings_type() -> inspect.Type:
    return inspect.type_info(Settings)


def _check(value: object, expected: inspect.Type, where: str) -> Iterator[str]:
    """Walk `value` and the type together."""
    if isinstance(expected, inspect.Metadata):
        yield from _check(value, expected.type, where)
    elif isinstance(expected, inspect.UnionType):
        yield from _check_union(value, expected, where)
    elif isinstance(expected, inspect.LiteralType):
        choices = [f'"{choice}"' for choice in sorted(map(str, expected.values), key=_by_number)]
        if not isinstance(value, str):
            yield f"`{where}`: expected a string, got {_kind(value)}{nearest(str(value), choices)}"
        elif value not in expected.values:
            written = f'"{value.removeprefix("py")}"'
            yield f'`{where}`: "{_in_one_line(value)}" is not allowed{nearest(written, choices, 0.85)}'
    elif not _fits(value, expected):
        yield f"`{where or 'the file'}`: expected {_described(expected)}, got {_kind(value)}"
    elif isinstance(value, list) and isinstance(expected, inspect.VarTupleType):
        for position, item in enumerate(value):
            yield from _check(item, expected.item_type, f"{where}[{position}]")
    elif isinstance(value, dict):
        yield from _check_table(value, expected, where)
    elif isinstance(value, int | float):
        yield from _check_range(value, expected, where)


def _check_union(value: object, expected: inspect.UnionType, where: str) -> Iterator[str]:
    """Against the one alternative that `value` has the shape of, else the first."""
    alternatives = [choice for choice in expected.types if not isinstance(choice, inspect.NoneType)]
    shaped = [choice for choice in alternatives if _fits(value, choice)]
    yield from _check(value, (shaped or alternatives)[0], where)


def _check_table(value: dict[str, object], expected: inspect.Type, where: str) -> Iterator[str]:
    if isinstance(expected, inspect.DictType):
        for key, item in value.items():
            yield from _check(item, expected.value_type, f'{where}."{_in_one_line(key)}"')
        return
    assert isinstance(expected, inspect.StructType)
    fields = {field.encode_name: field.type for field in expected.fields}
    for key, item in value.items():
        dotted = f"{where}.{_in_one_line(key)}" if where else _in_one_line(key)
        if key not in fields:
            yield f"unknown key `{dotted}`{nearest(key, fields)}"
        else:
            yield from _check(item, fields[key], dotted)


def _check_range(value: float, expected: inspect.Type, where: str) -> Iterator[str]:
    above, least = getattr(expected, "gt", None), getattr(expected, "ge", None)
    if above is not None and value <= above:
        yield f"`{where}`: must be more than {above}, got {value}"
    if least is not None and value < least:
        yield f"`{where}`: must be at least {least}, got {value}"


def _fits(value: object, expected: inspect.Type) -> bool:
    """Whether `value` has the outer shape of `expected`."""
    if isinstance(expected, inspect.BoolType):
        return isinstance(value, bool)
    if isinstance(expected, inspect.IntType):
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(expected, inspect.FloatType):
        return isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(expected, inspect.StrType | inspect.LiteralType):
        return isinstance(value, str)
    if isinstance(expected, inspect.VarTupleType):
        return isinstance(value, list)
    return isinstance(value, dict)


def _described(expected: inspect.Type) -> str:
    """The type in the words of TOML."""
    if isinstance(expected, inspect.VarTupleType):
        return "a list of strings"
    words: dict[type[inspect.Type], str] = {
        inspect.BoolType: "true or false",
        inspect.IntType: "a whole number",
        inspect.FloatType: "a number",
        inspect.StrType: "a string",
    }
    return words.get(type(expected), "a table")


def _in_one_line(text: str) -> str:
    """With line ends and the like as escapes."""
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def _by_number(choice: str) -> list[str | int]:
    """Sorts 3.9 before 3.10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", choice)]


def _kind(value: object) -> str:
    return _KINDS.get(type(value), "a date")
