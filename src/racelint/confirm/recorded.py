"""What `pytest --racelint-record` saw: arguments that the user's own tests pass, as text that says the same anywhere.

The file is read when a finding is confirmed. A scan never looks at it.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from racelint.confirm.errors import CannotRun

FILE = ".racelint-recorded.json"
"""Its name, in the root of the project."""

MOST_SAMPLES = 3
"""Calls of one function that are kept: the first that differ."""


class RecordedCall(msgspec.Struct, frozen=True):
    """The arguments of one call by parameter; what cannot be written down is left out.

    `values` holds expressions over the modules in `imports`; `objects` names the class, as `module:qualname`, of those
    that are objects of a class of the project.
    """

    values: dict[str, str] = {}
    objects: dict[str, str] = {}
    imports: tuple[str, ...] = ()


class Recorded(msgspec.Struct, frozen=True):
    """Calls by what is called, `module:qualname`: a function, a method, or a class for its constructor."""

    calls: dict[str, tuple[RecordedCall, ...]] = {}
    version: int = 1

    def of(self, module: str, qualname: str, sample: int) -> RecordedCall | None:
        """The call with this number, the last one where there are fewer, None where there is none at all."""
        calls = self.calls.get(f"{module}:{qualname}", ())
        return calls[min(sample, len(calls) - 1)] if calls else None

    def merged(self, other: Recorded) -> Recorded:
        """These calls and then those of `other`, up to the number that is kept."""
        calls = dict(self.calls)
        for name, more in other.calls.items():
            own = calls.get(name, ())
            calls[name] = (*own, *(call for call in more if call not in own))[:MOST_SAMPLES]
        return Recorded(calls)


def read_recorded(root: Path) -> Recorded:
    """What was recorded in the project, nothing where nothing was. Raises CannotRun for a file that is broken."""
    path = root / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recorded)
    except FileNotFoundError:
        return Recorded()
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or error}") from None
    except (msgspec.DecodeError, RecursionError) as error:
        raise CannotRun(f"{path}: {error}: record it again with `pytest --racelint-record`, or delete it") from None


def write_recorded(recorded: Recorded, root: Path) -> Path:
    """Write what was recorded in place of what was there before; the path of the file. Raises OSError."""
    path = root / FILE
    text = msgspec.json.encode(recorded, order="sorted")
    scratch = path.with_name(f"{FILE}.new")
    scratch.write_bytes(msgspec.json.format(text, indent=1) + b"\n")
    scratch.replace(path)
    return path
