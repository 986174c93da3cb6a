"""Settings in the words of the file they are written in: as TOML, and each key explained."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import msgspec

from racelint.config.settings import Settings


class Key(msgspec.Struct, frozen=True):
    """One key: what it means, what it may hold, and what holds where it is not written. Values are TOML."""

    name: str
    description: str
    kind: str
    default: str
    example: str


def as_toml(settings: Settings) -> str:
    """Every key with its value, as a `racelint.toml` that would give these settings."""
    lines: list[str] = []
    tables: list[str] = []
    for name, value in msgspec.to_builtins(settings).items():
        if isinstance(value, dict) and name in ("contracts", "confirm"):
            tables += ["", f"[{name}]", *_assignments(value)]
        else:
            lines += _assignments({name: value})
    return "\n".join([*lines, *tables]) + "\n"


def keys() -> Iterator[Key]:
    """Every key in the order of the settings, those of tables dotted."""
    from racelint.config.schema import json_schema

    schema = json_schema()
    for name, described in schema["properties"].items():
        inner = _definition(described, schema)
        if inner is None:
            yield _key(name, described)
        else:
            yield from (_key(f"{name}.{key}", value) for key, value in inner["properties"].items())


def _definition(described: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any] | None:
    """The table that a key holds, if it is one with keys of its own."""
    references = [part.get("$ref", "") for part in (described, *described.get("allOf", ()))]
    names = [reference.rpartition("/")[2] for reference in references if reference]
    definition: dict[str, Any] | None = schema["definitions"][names[0]] if names else None
    return definition


def _key(name: str, described: dict[str, Any]) -> Key:
    examples = described.get("examples", ())
    return Key(
        name=name,
        description=described.get("description", ""),
        kind=_kind(described),
        default=_toml(described.get("default")),
        example=_toml(examples[0]) if examples else "",
    )


def _kind(described: dict[str, Any]) -> str:
    """What a key may hold, in words."""
    if "enum" in described:
        return " | ".join(json.dumps(choice) for choice in described["enum"])
    if "anyOf" in described:
        kinds = [_kind(part) for part in described["anyOf"] if part.get("type") != "null"]
        return " | ".join(dict.fromkeys(kinds))
    if described.get("type") == "array":
        return f"list of {_plural(_kind(described['items']))}"
    words = {"string": "string", "boolean": "true | false", "integer": "whole number", "number": "number"}
    return words.get(described.get("type", ""), "table")


def _plural(kind: str) -> str:
    return "strings" if kind == "string" else f"({kind})"


def _assignments(table: dict[str, Any]) -> Iterator[str]:
    for name, value in table.items():
        yield f"# {name} is not set" if value is None else f"{name} = {_toml(value)}"


def _toml(value: Any) -> str:
    """A value as TOML writes it inline; JSON but for tables and for what is not set."""
    if value is None:
        return "not set"
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key, ensure_ascii=False)} = {_toml(item)}" for key, item in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
