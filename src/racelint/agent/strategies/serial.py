"""The serial orders: every thread runs until it ends or blocks, in every order of threads (up to a cap)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

MAX_ORDERS = 120


def serial_orders(threads: int) -> Iterator[tuple[tuple[int, ...], bool]]:
    """Orders of thread indices, each with whether timeouts pass at once: the first created first, then the last."""
    seen = set()
    everyone = tuple(range(threads))
    permutations = itertools.islice(itertools.permutations(everyone), MAX_ORDERS)
    for order in itertools.chain([everyone, everyone[::-1]], permutations):
        for expire in (False, True):
            if (order, expire) not in seen:
                seen.add((order, expire))
                yield order, expire
