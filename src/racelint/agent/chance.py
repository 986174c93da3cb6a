"""Random numbers that no schedule changes: each thread draws its own, whatever the others drew before it."""

from __future__ import annotations

from _random import Random  # the module `random` belongs to the target
from typing import Any

from .control import Control

FACTOR = 1_000_003


class Streams:
    """One generator for each thread; threads are told apart by who started them, as the how manieth."""

    def __init__(self, control: Control, seed: int = 0) -> None:
        self._control = control
        self._seed = seed
        self.made: dict[tuple[int, ...], Random] = {}

    def restart(self, seed: int) -> None:
        """Let all threads begin anew."""
        self._seed = seed
        self.made.clear()

    def own(self) -> Random:
        """The generator of the running thread."""
        origin = self._control.current.origin
        made = self.made.get(origin)
        if made is None:
            number = self._seed
            for place in origin:
                number = number * FACTOR + place + 1
            made = self.made[origin] = Random(number)
        return made


def draw_apart(module: Any, streams: Streams) -> None:
    """Let the functions of the module `random` draw from the streams."""

    class Shared(module.Random):  # type: ignore[misc]
        def random(self) -> float:
            return streams.own().random()

        def getrandbits(self, k: int) -> int:
            return streams.own().getrandbits(k)

        def seed(self, a: Any = None, version: int = 2) -> None:
            super().seed(a, version)
            streams.restart(super().getrandbits(64))

    old, new = module._inst, Shared()
    for name, value in list(vars(module).items()):
        if getattr(value, "__self__", None) is old:
            setattr(module, name, getattr(new, name))
    module._inst = new
