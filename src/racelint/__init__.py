"""racelint finds race conditions and lock misuse in Python, and proves them with a schedule that replays."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from racelint.api import ExploreResult, Inconclusive, RaceFound, explore, replay

__version__ = "0.1.0"
__all__ = ["ExploreResult", "Inconclusive", "RaceFound", "__version__", "explore", "replay"]


def __getattr__(name: str) -> Any:
    # On demand: the command line does without.
    if name in __all__:
        return getattr(importlib.import_module("racelint.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
