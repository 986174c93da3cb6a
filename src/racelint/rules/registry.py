"""All rules, found by looking into this package: a rule is registered by being a file here."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

import racelint.rules
from racelint.rules.base import Rule


@cache
def all_rules() -> tuple[Rule, ...]:
    """One instance of every rule, by code. Raises TypeError where two share a code."""
    found: dict[str, Rule] = {}
    for module in sorted(pkgutil.iter_modules(racelint.rules.__path__), key=lambda entry: entry.name):
        loaded = importlib.import_module(f"racelint.rules.{module.name}")
        for value in vars(loaded).values():
            if (
                isinstance(value, type)
                and issubclass(value, Rule)
                and value.__module__ == loaded.__name__
                and value is not Rule
            ):
                rule = value()
                if rule.code in found:
                    raise TypeError(f"{rule.code} is defined twice")
                found[rule.code] = rule
    return tuple(found[code] for code in sorted(found))
