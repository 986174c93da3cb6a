"""What trials leave behind: linked programs are full of cycles, which nobody frees while the collector is paused."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def leftovers_freed() -> Iterator[None]:
    """At the end of the block, free what it has made and does not keep, where the cycle collector is off.

    What was there before is not searched. Blocks may be nested; then the outer one searches what is older, too.
    """
    if gc.isenabled():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
