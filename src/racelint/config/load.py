"""Find and read the configuration: the closest `racelint.toml`, or `pyproject.toml` with a `[tool.racelint]` table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from racelint.config.settings import Settings
from racelint.model.result import CannotScan

NAMES = ("racelint.toml", "pyproject.toml")
ROOT_MARKERS = ("pyproject.toml", "racelint.toml", "setup.py", "setup.cfg", ".git", ".hg")
ADDED_UP = ("extend-select", "extend-exclude")
"""Keys whose values of an extended file and of the extending one hold together."""
PATH_KEYS = (("baseline",), ("confirm", "fixtures"))
"""Keys that name a file relative to the configuration they stand in."""

Check = Callable[[Settings], Iterator[tuple[str, str]]]
"""What only a higher layer can find wrong with settings: keys, and what is wrong with each."""


class ConfigError(CannotScan):
    """The configuration cannot be used; the text names the file, the key and the nearest right one."""


def load_settings(
    start: str, config: str | None = None, *, isolated: bool = False, check: Check | None = None
) -> tuple[Settings, str | None]:
    """Settings that hold for `start` (a directory), and the file they came from.

    `config` names the file instead of searching upward; `isolated` reads none. Raises ConfigError.
    """
    if config is not None:
        return _convert(_read(config, explicit=True, check=check) or {}), config
    if isolated:
        return Settings(), None
    for folder in upward(start):
        settings = settings_in(folder, check)
        if settings is not None:
            return settings
    return Settings(), None


def settings_in(folder: str, check: Check | None = None) -> tuple[Settings, str] | None:
    """The settings of the file that stands in `folder` itself, and that file; None without one. Raises ConfigError."""
    for name in NAMES:
        candidate = os.path.join(folder, name)
        if os.path.isfile(candidate) and (table := _read(candidate, explicit=False, check=check)) is not None:
            return _convert(table), candidate
    return None


def project_root(start: str) -> str:
    """The closest folder at or above `start` that looks like the top of a project; `start` itself where none does."""
    for folder in upward(start):
        if any(os.path.exists(os.path.join(folder, marker)) for marker in ROOT_MARKERS):
            return folder
    return start


def upward(start: str) -> Iterator[str]:
    """`start` (absolute) and every folder above it, the innermost first."""
    folder = start
    yield folder
    while (above := os.path.dirname(folder)) not in (folder, ""):
        yield above
        folder = above


def _read(path: str, *, explicit: bool, check: Check | None, seen: tuple[str, ...] = ()) -> dict[str, Any] | None:
    """The keys of one file on top of those it extends; None for a `pyproject.toml` that says nothing of racelint."""
    text = _text(path)
    if os.path.basename(path) == "pyproject.toml" and not explicit and "racelint" not in text:
        return None  # unread: a broken one, as among the test data of a packaging tool, is none of our business
    table, prefix = _own_table(_document(text, path), path, explicit=explicit)
    if table is None:
        return None
    from racelint.config.check import complaints  # what a scan without a configuration never needs

    for complaint in complaints(table, prefix):
        raise ConfigError(f"{path}: {complaint}")
    for key, complaint in check(_convert(table)) if check is not None else ():
        raise ConfigError(f"{path}: `{f'{prefix}.{key}'.lstrip('.')}`: {complaint}")
    own = _with_absolute_paths(table, os.path.dirname(path))
    if "extend" not in own:
        return own
    base = os.path.normpath(os.path.join(os.path.dirname(path), os.path.expanduser(own["extend"])))
    key = f"{prefix}.extend".lstrip(".")
    if base in (*seen, path):
        raise ConfigError(f"{path}: `{key}`: {base} extends this file in turn")
    if not os.path.isfile(base):
        raise ConfigError(f"{path}: `{key}`: there is no file {base}")
    below = _read(base, explicit=True, check=check, seen=(*seen, path))
    return _merged(below or {}, own)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as stream:
            return stream.read()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not valid UTF-8") from None


def _document(text: str, path: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _own_table(document: dict[str, Any], path: str, *, explicit: bool) -> tuple[Any, str]:
    """The table of racelint and the prefix of its keys; one that holds nothing else may have it so, too."""
    tool = document.get("tool")
    table = tool.get("racelint") if isinstance(tool, dict) else None
    if os.path.basename(path) == "pyproject.toml" or (table is not None and (explicit or len(document) == 1)):
        return table, "tool.racelint"
    return document, ""


def _with_absolute_paths(table: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """A copy in which the files that the table names do not depend on where it stands."""
    own = dict(table)
    for *tables, last in PATH_KEYS:
        inner = own
        for name in tables:
            inner[name] = dict(inner.get(name, {}))
            inner = inner[name]
        if last in inner:
            inner[last] = os.path.join(folder, os.path.expanduser(inner[last]))
    return own


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` where it speaks, else `below`; tables are merged key by key."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict):
            merged[key] = _merged(below[key], above[key])
        elif key in ADDED_UP:
            merged[key] = [*below[key], *above[key]]
    return merged


def _convert(table: Mapping[str, Any]) -> Settings:
    return msgspec.convert(table, Settings)
