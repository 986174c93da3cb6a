"""`threading.local` by controlled thread: greenlets of one OS thread would share the C one."""

from __future__ import annotations

from typing import Any

from . import fake_thread


class local:
    """As `_threading_local.local`, with the running controlled thread in place of the OS thread."""

    __slots__ = ("__dict__", "__weakref__", "_rl_arguments")

    def __new__(cls, /, *args: Any, **kwargs: Any) -> local:
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        object.__setattr__(self, "_rl_arguments", (args, kwargs))
        _fields_of_running_thread(self)
        return self

    def __getattribute__(self, name: str) -> Any:
        _bind(self)
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _bind(self)
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        _bind(self)
        object.__delattr__(self, name)


def _fields_of_running_thread(held: local) -> bool:
    """Give the object the running thread's fields; True if the thread had none yet."""
    storage = fake_thread.running().storage
    known = storage.get(id(held))
    if known is None:
        fields: dict[str, Any] = {}
        storage[id(held)] = (held, fields)
        object.__setattr__(held, "__dict__", fields)
        return True
    object.__setattr__(held, "__dict__", known[1])
    return False


def _bind(held: local) -> None:
    if _fields_of_running_thread(held):
        args, kwargs = object.__getattribute__(held, "_rl_arguments")
        type(held).__init__(held, *args, **kwargs)
