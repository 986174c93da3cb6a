"""Find and read the configuration: the closest `racelint.toml`, or `pyproject.toml` with a `[tool.racelint]` table."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from racelint.config.settings import Settings

ROOT_MARKERS = ("pyproject.toml", "racelint.toml", "setup.py", "setup.cfg", ".git", ".hg")


class ConfigError(Exception):
    """The configuration cannot be used; the text names the file, the key and the nearest right one."""


def load_settings(start: Path, config: Path | None = None, *, isolated: bool = False) -> tuple[Settings, Path | None]:
    """Settings that hold for `start` (a directory), and the file they came from.

    `config` names the file instead of searching upward; `isolated` reads none. Raises ConfigError.
    """
    if config is not None:
        return _read(config, explicit=True) or Settings(), config
    if isolated:
        return Settings(), None
    for folder in (start, *start.parents):
        for name in ("racelint.toml", "pyproject.toml"):
            candidate = folder / name
            if os.path.isfile(candidate) and (settings := _read(candidate, explicit=False)) is not None:
                return settings, candidate
    return Settings(), None


def project_root(start: Path) -> Path:
    """The closest folder at or above `start` that looks like the top of a project; `start` itself where none does."""
    for folder in (start, *start.parents):
        if any(os.path.exists(folder / marker) for marker in ROOT_MARKERS):
            return folder
    return start


def _read(path: Path, *, explicit: bool) -> Settings | None:
    """The settings in one file; None for a `pyproject.toml` found on the way that says nothing about racelint."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not valid UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None
    table: Any = document
    if path.name == "pyproject.toml":
        table = _subtable(document, "tool", "racelint")
    elif explicit:
        table = _subtable(document, "tool", "racelint") or document
    if table is None:
        return None
    return _convert(table, path)


def _subtable(document: dict[str, Any], *keys: str) -> Any:
    table: Any = document
    for key in keys:
        if not isinstance(table, dict) or key not in table:
            return None
        table = table[key]
    return table


def _convert(table: Any, path: Path) -> Settings:
    prefix = "tool.racelint" if path.name == "pyproject.toml" else ""
    _check_keys(table, Settings, prefix, path)
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_in_toml_terms(str(error), prefix)}") from None


def _check_keys(table: Any, struct: type[msgspec.Struct], prefix: str, path: Path) -> None:
    """Refuse a key that `struct` does not have, naming the nearest one that it has."""
    if not isinstance(table, dict):
        return
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    for key, value in table.items():
        dotted = f"{prefix}.{key}" if prefix else key
        if key not in fields:
            raise ConfigError(f"{path}: unknown key `{dotted}`{_nearest(key, sorted(fields))}")
        inner = fields[key]
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            _check_keys(value, inner, dotted, path)


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key.replace("_", "-").lower(), known, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else f"; the keys are {', '.join(known)}"


def _in_toml_terms(message: str, prefix: str) -> str:
    """msgspec's "Expected `array`, got `str` - at `$.select`" with the path as the user wrote it."""
    what, _, where = message.partition(" - at `$")
    dotted = (prefix + where.rstrip("`")).lstrip(".") if where else prefix
    return f"`{dotted or 'the file'}`: {what[0].lower()}{what[1:]}"
