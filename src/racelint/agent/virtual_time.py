"""The clock of an execution: `time` and `datetime` as the target sees them, the same in every execution."""

from __future__ import annotations

import datetime as real_datetime
import time as real_time
import types
from typing import Any

from .control import Control

EPOCH = 1_700_000_000.0
START = 1000.0
"""What the clocks show that count from no date."""


def virtual_time(control: Control) -> types.ModuleType:
    """The module `time`, over the controller's clock."""
    module = types.ModuleType("time", real_time.__doc__)
    vars(module).update({name: value for name, value in vars(real_time).items() if not name.startswith("__")})

    def sleep(seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        control.sleep(seconds)

    def seconds_from(start: float) -> Any:
        return lambda: start + control.clock

    def nanoseconds_from(start: float) -> Any:
        return lambda: int((start + control.clock) * 1e9)

    vars(module).update(sleep=sleep, time=seconds_from(EPOCH), time_ns=nanoseconds_from(EPOCH))
    for name in ("monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(module, name, seconds_from(START))
        setattr(module, f"{name}_ns", nanoseconds_from(START))
    vars(module).update(_of_the_moment(module))
    return module


def _of_the_moment(module: Any) -> dict[str, Any]:
    """The functions that take the time of the moment where none is given."""

    def at(function: Any) -> Any:
        return lambda secs=None: function(module.time() if secs is None else secs)

    def strftime(format: str, t: Any = None) -> str:
        return real_time.strftime(format, module.localtime() if t is None else t)

    def asctime(t: Any = None) -> str:
        return real_time.asctime(module.localtime() if t is None else t)

    def clock_gettime(clk_id: int) -> float:
        realtime = clk_id == getattr(real_time, "CLOCK_REALTIME", None)
        return float(module.time() if realtime else module.monotonic())

    def clock_gettime_ns(clk_id: int) -> int:
        return int(clock_gettime(clk_id) * 1e9)

    found = {name: at(getattr(real_time, name)) for name in ("localtime", "gmtime", "ctime")}
    return {
        **found,
        "strftime": strftime,
        "asctime": asctime,
        "clock_gettime": clock_gettime,
        "clock_gettime_ns": clock_gettime_ns,
    }


def install_dates(time: Any) -> None:
    """From now on `datetime.now` and `date.today` go by the virtual `time`; all else of the classes stays."""

    class Look(type):
        """Objects that the library's C code makes are of the plain class, and count as ours."""

        real: type

        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, cls.real)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, cls.real)

    class date(real_datetime.date, metaclass=Look):
        real = real_datetime.date

        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(time.time())

    class datetime(real_datetime.datetime, metaclass=Look):
        real = real_datetime.datetime

        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return cls.fromtimestamp(time.time(), tz)

        @classmethod
        def today(cls) -> Any:
            return cls.now()

        @classmethod
        def utcnow(cls) -> Any:
            return cls.fromtimestamp(time.time(), real_datetime.timezone.utc).replace(tzinfo=None)  # noqa: UP017  # not in 3.10

    for kind in (date, datetime):
        kind.__module__ = "datetime"
        kind.__qualname__ = kind.__name__
        setattr(real_datetime, kind.__name__, kind)
