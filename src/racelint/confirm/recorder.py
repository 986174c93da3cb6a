"""Notes the arguments of calls while the user's tests run, with the interpreter's profiling hook."""

from __future__ import annotations

import enum
import inspect
import math
import sys
import threading
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from racelint.confirm.recorded import MOST_SAMPLES, Recorded, RecordedCall
from racelint.confirm.vocabulary import BY_TYPE, MODULES

LONGEST = 200
"""Characters of one value: longer ones are data, and say no more than short ones."""

GENERATED = "<generated>.__init__"

DEPTH = 3
WIDTH = 8
"""Containers in containers, and items of one, that are written down."""

PLAIN = (type(None), bool, int, float, complex, str, bytes)


class _NotPortable(Exception):
    """A value that means something in this process alone."""


@dataclass
class Recorder:
    """Collects the calls of functions defined below `root`, tests left out.

    Each thread that starts meanwhile is listened to as well. Code that sets a profiling function of its own ends it.
    """

    root: Path
    calls: dict[str, list[RecordedCall]] = field(default_factory=dict)
    _known: dict[types.CodeType, str] = field(default_factory=dict)
    """What each code object is recorded as, empty for one that is not."""

    def start(self) -> None:
        """Listen from now on."""
        threading.setprofile(self._listen)
        sys.setprofile(self._listen)

    def stop(self) -> Recorded:
        """Listen no more; what was heard, by name."""
        sys.setprofile(None)
        threading.setprofile(None)
        return Recorded({name: tuple(calls) for name, calls in sorted(self.calls.items()) if calls})

    def _listen(self, frame: types.FrameType, event: str, _: Any) -> None:
        if event != "call":
            return
        code = frame.f_code
        name = self._known.get(code)
        if name is None:
            name = self._known[code] = self._name_of(frame)
        if name:
            self._note(name, frame)

    def _name_of(self, frame: types.FrameType) -> str:
        code = frame.f_code
        module = frame.f_globals.get("__name__", "")
        if code.co_name == "__init__" and code.co_filename.startswith("<"):  # a dataclass's, say
            return f"{module}:{GENERATED}" if self._is_own(Path(frame.f_globals.get("__file__") or "")) else ""
        is_outer = code.co_flags & inspect.CO_OPTIMIZED and "<" not in code.co_qualname  # no class body, nothing nested
        return f"{module}:{code.co_qualname}" if is_outer and self._is_own(Path(code.co_filename)) else ""

    def _is_own(self, path: Path) -> bool:
        """Whether the file is the project's, and no test nor a library in an environment inside it."""
        if not path.is_relative_to(self.root):
            return False
        is_test = path.name.startswith("test_") or path.stem.endswith("_test") or path.name == "conftest.py"
        return not is_test and "site-packages" not in path.parts

    def _note(self, name: str, frame: types.FrameType) -> None:
        code, values = frame.f_code, frame.f_locals
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        bound = bool(names) and names[0] in ("self", "cls", "mcs") and "." in name
        if code.co_name == "__init__" and bound and names[0] in values:
            made = type(values[names[0]])  # the class of the object, which may inherit its constructor
            name = f"{made.__module__}:{made.__qualname__}"
        calls = self.calls.setdefault(name, [])
        if len(calls) >= MOST_SAMPLES:
            return
        call = self._call({parameter: values[parameter] for parameter in names[bound:] if parameter in values})
        if call not in calls and (call.values or call.objects):
            calls.append(call)

    def _call(self, arguments: dict[str, Any]) -> RecordedCall:
        texts: dict[str, str] = {}
        objects: dict[str, str] = {}
        imports: set[str] = set()
        for name, value in arguments.items():
            if self._is_object(value):
                objects[name] = f"{type(value).__module__}:{type(value).__qualname__}"
                continue
            needed: set[str] = set()
            try:
                text = self._text(value, needed, 0)
            except _NotPortable:
                continue
            if len(text) <= LONGEST:
                texts[name] = text
                imports |= needed
        return RecordedCall(texts, objects, tuple(sorted(imports)))

    def _is_object(self, value: Any) -> bool:
        cls = type(value)
        return not isinstance(value, enum.Enum) and "<" not in cls.__qualname__ and self._is_module(cls.__module__)

    def _is_module(self, name: str) -> bool:
        module = sys.modules.get(name)
        return module is not None and self._is_own(Path(getattr(module, "__file__", None) or ""))

    def _text(self, value: Any, imports: set[str], depth: int) -> str:
        cls = type(value)
        if cls in PLAIN:
            return _plain(value)
        if cls in (list, tuple, set, frozenset, dict):
            return self._container(value, imports, depth)
        if isinstance(value, enum.Enum) and self._is_module(cls.__module__) and "<" not in cls.__qualname__:
            return self._named(cls.__module__, f"{cls.__qualname__}.{value.name}", imports)
        if isinstance(value, types.FunctionType | type) and self._is_module(value.__module__):
            return self._named(value.__module__, value.__qualname__, imports)
        if cls.__name__ in BY_TYPE and cls.__module__.lstrip("_").partition(".")[0] in {*MODULES, "thread"}:
            return BY_TYPE[cls.__name__]
        raise _NotPortable

    def _named(self, module: str, qualname: str, imports: set[str]) -> str:
        if "<" in qualname:
            raise _NotPortable
        imports.add(module)
        return f"{module}.{qualname}"

    def _container(self, value: Any, imports: set[str], depth: int) -> str:
        if depth >= DEPTH or len(value) > WIDTH:
            raise _NotPortable
        if isinstance(value, dict):
            pairs = [
                f"{self._text(k, imports, depth + 1)}: {self._text(v, imports, depth + 1)}" for k, v in value.items()
            ]
            return f"{{{', '.join(pairs)}}}"
        items = [self._text(item, imports, depth + 1) for item in value]
        inside = ", ".join(items if isinstance(value, list | tuple) else sorted(items))
        if isinstance(value, list):
            return f"[{inside}]"
        if isinstance(value, tuple):
            return f"({inside},)" if len(items) == 1 else f"({inside})"
        text = f"{{{inside}}}" if items else "set()"
        return text if isinstance(value, set) else f"frozenset({text})"


def _plain(value: Any) -> str:
    """The literal; a path into the file system, and a number that has no literal, mean nothing elsewhere."""
    if isinstance(value, float | complex) and not math.isfinite(abs(value)):
        raise _NotPortable
    if isinstance(value, str) and Path(value).is_absolute():
        raise _NotPortable
    return repr(value)
