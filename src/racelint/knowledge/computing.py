"""What only computes: calls that neither block, nor do I/O, nor let the interpreter lock go."""

from __future__ import annotations

from racelint.knowledge.containers import CONTAINERS, MUTATING_METHODS, READING_METHODS

PURE_MODULES: tuple[str, ...] = ("math.", "cmath.", "operator.", "itertools.", "fractions.", "statistics.", "bisect.")
"""Prefixes of dotted names."""

PURE: frozenset[str] = frozenset(
    {
        *("abs", "all", "any", "bin", "bool", "bytearray", "bytes", "chr", "complex", "dict", "divmod", "enumerate"),
        *("filter", "float", "format", "frozenset", "hash", "hex", "int", "isinstance", "iter", "len", "list", "map"),
        *("max", "min", "next", "object", "oct", "ord", "pow", "range", "repr", "reversed", "round", "set", "slice"),
        *("sorted", "str", "sum", "tuple", "zip", "id", "type"),
    }
)
"""Builtins."""

PURE_TYPES: frozenset[str] = CONTAINERS | frozenset(
    {"builtins.str", "builtins.int", "builtins.float", "builtins.bytes", "builtins.tuple", "builtins.frozenset"}
)
"""Types whose methods only compute."""

CONTAINER_METHODS: frozenset[str] = MUTATING_METHODS | READING_METHODS
"""Method names that only compute where the receiver's type is not known."""


def is_pure_name(dotted: str) -> bool:
    """Whether calling `dotted` only computes."""
    return dotted.startswith(PURE_MODULES) or dotted.removeprefix("builtins.") in PURE
