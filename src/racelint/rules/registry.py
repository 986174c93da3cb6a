"""All rules: a rule of ours is registered by being a file here, one of a plugin by an entry point.

[project.entry-points."racelint.rules"]
my-rules = "my_package.rules"        # a module, whose Rule subclasses count, or one such class
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import time
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING

import racelint.rules
from racelint.rules.base import Rule
from racelint.rules.subjects import Mentions

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "racelint.rules"
_CODE = rb'^    code(?:: ClassVar\[str\])? = "(RL\d{3})"\r?$'


class BadPlugin(Exception):
    """A plugin that cannot be loaded or is none; the text names it and says why."""


@cache
def codes() -> tuple[str, ...]:
    """The codes of all rules in order. Raises BadPlugin.

    Ours are read from what their files state: importing them takes a hundred times as long.
    """
    if plugins():
        return tuple(rule.code for rule in all_rules())
    files = [os.path.join(folder, name) for folder in racelint.rules.__path__ for name in os.listdir(folder)]
    texts = [_content(file) for file in files if file.endswith(".py")]
    return tuple(sorted(code.decode() for text in texts for code in re.findall(_CODE, text, re.MULTILINE)))


@cache
def plugins() -> tuple[str, ...]:
    """The installed distributions that may have rules for us, with their versions.

    `importlib.metadata` tells that too, in ten times the time. One that is installed to be edited is never the same.
    """
    found = []
    for folder, name in ((each, name) for each in sys.path for name in _distributions(each or os.curdir)):
        if f"[{GROUP}]".encode() in _content(os.path.join(folder, name, "entry_points.txt")):
            edited = b'"editable": true' in _content(os.path.join(folder, name, "direct_url.json"))
            found.append(f"{name} {time.time_ns()}" if edited else name)
    return tuple(found)


def _distributions(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith((".dist-info", ".egg-info")))
    except OSError:
        return []


def _content(file: str) -> bytes:
    try:
        with open(file, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


@cache
def all_rules() -> tuple[Rule, ...]:
    """One instance of every rule, by code. Raises TypeError where two of ours share a code, BadPlugin for a plugin."""
    return _rules_in(_files())


def rules_about(mentions: Mentions) -> tuple[Rule, ...]:
    """Those that may have something to say of what has these mentions, plugins' included; raises as `all_rules`."""
    return _rules_in(tuple(filter(mentions.concern, _files())))


@cache
def _files() -> tuple[str, ...]:
    import pkgutil

    return tuple(sorted(module.name for module in pkgutil.iter_modules(racelint.rules.__path__)))


@cache
def _rules_in(files: tuple[str, ...]) -> tuple[Rule, ...]:
    found: dict[str, Rule] = {}
    for rule in (rule for file in files for rule in _own(file)):
        if rule.code in found:
            raise TypeError(f"{rule.code} is defined twice")
        found[rule.code] = rule
    for plugin in _entry_points() if plugins() else ():
        for rule in _of_plugin(plugin):
            if rule.code in found:
                raise BadPlugin(f"plugin {plugin.name}: its rule {rule.code} has the code of another")
            found[rule.code] = rule
    return tuple(found[code] for code in sorted(found))


def _entry_points() -> list[EntryPoint]:
    from importlib.metadata import entry_points

    return sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))


@cache
def _own(file: str) -> tuple[Rule, ...]:
    return tuple(_in_module(importlib.import_module(f"racelint.rules.{file}")))


def _of_plugin(plugin: EntryPoint) -> list[Rule]:
    try:
        loaded = plugin.load()
        rules = list(_in_module(loaded)) if isinstance(loaded, ModuleType) else [loaded()]
    except Exception as error:
        raise BadPlugin(f"plugin {plugin.name}: {plugin.value}: {type(error).__name__}: {error}") from error
    if not rules or not all(isinstance(rule, Rule) for rule in rules):
        raise BadPlugin(f"plugin {plugin.name}: {plugin.value} is no rule and holds none")
    return rules


def _in_module(module: ModuleType) -> Iterator[Rule]:
    """The rules that a module itself defines."""
    for value in vars(module).values():
        own = isinstance(value, type) and value.__module__ == module.__name__
        if own and issubclass(value, Rule) and value is not Rule:
            yield value()
