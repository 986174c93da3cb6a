"""What processes share, by the dotted names of its types."""

from __future__ import annotations

SHARED_NUMBERS: frozenset[str] = frozenset(
    {"multiprocessing.Value", "multiprocessing.Array", "multiprocessing.RawValue", "multiprocessing.RawArray"}
    | {"multiprocessing.sharedctypes.RawValue", "multiprocessing.sharedctypes.RawArray"}
    | {"multiprocessing.managers.ValueProxy", "multiprocessing.managers.ArrayProxy"}
)
"""Values in shared memory: one read and one write are each whole, the two together are not."""

PLAIN_CONTAINERS: frozenset[str] = frozenset(
    {"builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray", "collections.deque"}
    | {"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "array.array"}
)
"""Containers that each process has a copy of."""
