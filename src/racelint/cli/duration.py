"""Times on the command line."""

from __future__ import annotations

import re
from typing import Any

import click

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh]?)")


class Duration(click.ParamType[float]):
    """A number of seconds, or with a unit: `90`, `60s`, `2m`, `1h`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        read = _DURATION.fullmatch(str(value).strip())
        seconds = float(read[1]) * _UNITS[read[2]] if read else 0.0
        if not seconds:
            self.fail(f"{value!r} is no time above zero: write `90`, `60s` or `2m`", param, ctx)
        return seconds
