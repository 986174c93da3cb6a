"""All rules: a rule of ours is registered by being a file here, one of a plugin by an entry point.

[project.entry-points."racelint.rules"]
my-rules = "my_package.rules"        # a module, whose Rule subclasses count, or one such class
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import racelint.rules
from racelint.rules.base import Rule

GROUP = "racelint.rules"


class BadPlugin(Exception):
    """A plugin that cannot be loaded or is none; the text names it and says why."""


@cache
def all_rules() -> tuple[Rule, ...]:
    """One instance of every rule, by code. Raises TypeError where two of ours share a code, BadPlugin for a plugin."""
    found: dict[str, Rule] = {}
    for rule in _own():
        if rule.code in found:
            raise TypeError(f"{rule.code} is defined twice")
        found[rule.code] = rule
    for plugin in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        for rule in _of_plugin(plugin):
            if rule.code in found:
                raise BadPlugin(f"plugin {plugin.name}: its rule {rule.code} has the code of another")
            found[rule.code] = rule
    return tuple(found[code] for code in sorted(found))


def _own() -> Iterator[Rule]:
    for module in sorted(pkgutil.iter_modules(racelint.rules.__path__), key=lambda entry: entry.name):
        yield from _in_module(importlib.import_module(f"racelint.rules.{module.name}"))


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
