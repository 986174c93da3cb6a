"""All fixes, found by looking into this package; a rule has a fix if and only if a file here says so."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

import racelint.fixes
from racelint.fixes.base import Fixer


@cache
def all_fixers() -> dict[str, Fixer]:
    """The fix of each rule that has one, by code. Raises TypeError where two files fix one rule.

    This imports LibCST.
    """
    found: dict[str, Fixer] = {}
    for module in sorted(entry.name for entry in pkgutil.iter_modules(racelint.fixes.__path__)):
        loaded = importlib.import_module(f"racelint.fixes.{module}")
        for value in vars(loaded).values():
            if isinstance(value, type) and issubclass(value, Fixer) and value.__module__ == loaded.__name__:
                for code in getattr(value, "codes", ()):
                    if code in found:
                        raise TypeError(f"{code} is fixed by two files")
                    found[code] = value()
    return dict(sorted(found.items()))


def fix_words(code: str) -> str:
    """What the fix of a rule does, and when it is safe; empty where the rule has none."""
    fixer = all_fixers().get(code)
    return inspect.cleandoc(fixer.__doc__ or "") if fixer is not None else ""
