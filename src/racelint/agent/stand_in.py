"""What a set-up hands over where the real thing cannot be made: an object of any shape, and abstract classes filled in.

A stand-in has no behaviour that could be raced on: only what the target itself stores in one is a part of the state.
"""

from __future__ import annotations

import operator
import sys
from typing import Any

_LOCKING = ("lock", "mutex")


class StandIn:
    """Has every attribute, answers every call with a new stand-in, and counts as 1 where a number is wanted."""

    def __init__(self, name: str = "stand-in") -> None:
        self.__dict__["_rl_name"] = name
        self.__dict__["_rl_parts"] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        kind = StandInLock if any(word in name.lower() for word in _LOCKING) else StandIn
        return self._rl_parts.setdefault(name, kind(f"{self._rl_name}.{name}"))

    def __call__(self, *args: Any, **kwargs: Any) -> StandIn:
        return StandIn(f"{self._rl_name}()")

    def __getitem__(self, key: Any) -> StandIn:
        return StandIn(f"{self._rl_name}[…]")

    def __setitem__(self, key: Any, value: Any) -> None:
        return None

    def __delitem__(self, key: Any) -> None:
        return None

    def __contains__(self, key: Any) -> bool:
        return False

    def __iter__(self) -> Any:
        return iter(())

    def __len__(self) -> int:
        return 1

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *details: object) -> None:
        return None

    def __await__(self) -> Any:
        """Others run meanwhile, as with most that is awaited."""
        yield
        return StandIn(f"await {self._rl_name}")

    async def __aenter__(self) -> StandIn:
        await self
        return self

    async def __aexit__(self, *details: object) -> None:
        await self

    def __aiter__(self) -> StandIn:
        return self

    async def __anext__(self) -> StandIn:
        raise StopAsyncIteration

    def __index__(self) -> int:
        return 1

    __int__ = __index__
    __hash__ = object.__hash__

    def __float__(self) -> float:
        return 1.0

    def __str__(self) -> str:
        return "stand-in"

    __fspath__ = __str__

    def __repr__(self) -> str:
        return f"<stand-in for {self._rl_name}>"


class StandInLock(StandIn):
    """What is named like a lock, or like a method that gives one, is one lock: `value.get_lock()`, `pool._mutex`."""

    def __init__(self, name: str = "stand-in") -> None:
        super().__init__(name)
        self.__dict__["_rl_lock"] = sys.modules["threading"].RLock()  # the one under control, in the agent

    def __call__(self, *args: Any, **kwargs: Any) -> StandIn:
        """The one lock; of what is named like a class, another one."""
        name = self._rl_name.rpartition(".")[2]
        return StandInLock(f"{self._rl_name}()") if name[:1].isupper() and not name.endswith(")") else self

    def acquire(self, *args: Any, **kwargs: Any) -> bool:
        return bool(self._rl_lock.acquire(*args, **kwargs))

    def release(self) -> None:
        self._rl_lock.release()

    def __enter__(self) -> StandIn:
        self._rl_lock.acquire()
        return self

    def __exit__(self, *details: object) -> None:
        self._rl_lock.release()


def _plain(value: Any, beside: Any) -> Any:
    """What a stand-in counts as, beside a value of another type."""
    if not isinstance(value, StandIn):
        return value
    return str(value) if isinstance(beside, str) else 1


def _from_left(operation: Any) -> Any:
    return lambda self, other: operation(_plain(self, other), _plain(other, self))


def _from_right(operation: Any) -> Any:
    return lambda self, other: operation(_plain(other, self), _plain(self, other))


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod"):
    setattr(StandIn, f"__{_name}__", _from_left(getattr(operator, _name)))
    setattr(StandIn, f"__r{_name}__", _from_right(getattr(operator, _name)))
for _name in ("lt", "le", "gt", "ge"):
    setattr(StandIn, f"__{_name}__", _from_left(getattr(operator, _name)))


def concrete(cls: type) -> type:
    """`cls`, or where it has abstract methods a subclass in which each of them answers with a stand-in."""
    missing: frozenset[str] = getattr(cls, "__abstractmethods__", frozenset())
    if not missing:
        return cls
    members = {name: _filled_in(name) for name in sorted(missing)}
    return type(cls)(cls.__name__, (cls,), {**members, "__module__": cls.__module__, "__qualname__": cls.__qualname__})


def _filled_in(name: str) -> Any:
    def method(self: Any, *args: Any, **kwargs: Any) -> StandIn:
        return StandIn(f"{name}()")

    method.__name__ = name
    return method
