"""Values of annotated types that no table knows, from hypothesis where the user's environment has it."""

from __future__ import annotations

import copy
import importlib
import typing
from typing import Any

EXAMPLES = 20
"""Draws that may be refused before hypothesis gives up: the simplest value is wanted, which mostly is the first."""

_found: dict[tuple[str, str], tuple[Any, ...]] = {}
"""By annotation and module: the value alone, nothing where hypothesis has none."""


def drawn(annotation: str, module: str, otherwise: Any) -> Any:
    """The simplest value that hypothesis makes for an annotation as `module` writes it; where it cannot, `otherwise`.

    A search takes longer than an execution: each gets a copy of the one value.
    """
    key = (annotation, module)
    if key not in _found:
        _found[key] = _search(annotation, module)
    return copy.deepcopy(_found[key][0]) if _found[key] else otherwise


def _search(annotation: str, module: str) -> tuple[Any, ...]:
    try:
        hypothesis: Any = importlib.import_module("hypothesis")
        wanted = eval(annotation, {**vars(typing), **vars(importlib.import_module(module))})
        strategy = hypothesis.strategies.from_type(wanted)
        settings = hypothesis.settings(
            database=None, derandomize=True, deadline=None, max_examples=EXAMPLES, verbosity=hypothesis.Verbosity.quiet
        )
        value = hypothesis.find(strategy, lambda value: True, settings=settings)
        copy.deepcopy(value)
    except (
        Exception
    ):  # no hypothesis, a name that is there for type checkers alone, a type that cannot be made or copied
        return ()
    return (value,)
