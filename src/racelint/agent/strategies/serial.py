"""The serial orders: every operation runs until it ends or blocks, in every order that keeps those of the threads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

MAX_ORDERS = 120


def serial_orders(operations: Sequence[int]) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Orders of operations, of which each thread has so many, as the threads that they are of.

    Each comes with whether timeouts pass at once. Whole threads first, the first created first, then the last; no more
    than MAX_ORDERS after those.
    """
    seen = set()
    everything = tuple(index for index, count in enumerate(operations) for _ in range(count))
    others = itertools.islice(_interleavings(list(operations), len(everything)), MAX_ORDERS)
    for order in itertools.chain([everything, everything[::-1]], others):
        for expire in (False, True):
            if (order, expire) not in seen:
                seen.add((order, expire))
                yield order, expire


def _interleavings(left: list[int], length: int) -> Iterator[tuple[int, ...]]:
    """Every order of what is left of each thread, ascending."""
    if not length:
        yield ()
    for index, count in enumerate(left):
        if count:
            left[index] -= 1
            for rest in _interleavings(left, length - 1):
                yield (index, *rest)
            left[index] += 1
