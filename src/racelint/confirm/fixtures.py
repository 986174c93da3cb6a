"""What the user supplies: a file of `make_<Name>` functions, factories named in the configuration, recorded calls."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from racelint.confirm.errors import CannotRun
from racelint.confirm.recorded import Recorded


@dataclass(frozen=True)
class Fixtures:
    """Which names the fixture file defines, and its text: it becomes part of the scenario, so a replay carries it.

    It runs before the module is imported. `make_<Class>()` builds an object of that class, `make_<parameter>()` a value
    for any parameter of that name; `call_<function>(subject)` does what a caller of the function or method does, with
    no argument for a plain function.
    """

    source: str = ""
    names: frozenset[str] = frozenset()
    recorded: Recorded = field(default_factory=Recorded)
    """Arguments that the user's tests pass."""
    setup: str = ""
    """Statements for the end of every set-up."""
    invariant: str = ""
    """An expression that must be true after every schedule."""

    def maker(self, name: str) -> str | None:
        """The function that makes `name`, where the file has one."""
        wanted = f"make_{name}"
        return wanted if wanted in self.names else None

    def caller(self, name: str) -> str | None:
        """The function that calls `name`, where the file has one."""
        wanted = f"call_{name}"
        return wanted if wanted in self.names else None


_FACTORY = """\
def make_{name}():
    import {module}
    return {module}.{function}()
"""

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def read_fixtures(path: str, factories: Mapping[str, str], recorded: Recorded) -> Fixtures:
    """A fixture file (none for an empty path) and the factories; the file wins where both make one thing.

    Raises CannotRun with a sentence for a file that cannot be read and a factory that names nothing.
    """
    parts = [_maker(name, factory) for name, factory in factories.items()]
    source = "\n".join([*parts, _text_of(path)] if path else parts)
    names = frozenset(node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return Fixtures(source, names, recorded)


def _maker(name: str, factory: str) -> str:
    """The function that asks a factory, `package.module:function`, for the object of a class or parameter."""
    module, colon, function = factory.partition(":")
    if not (colon and _DOTTED.fullmatch(module) and _DOTTED.fullmatch(function) and _DOTTED.fullmatch(name)):
        raise CannotRun(f"confirm.factories: `{name} = {factory!r}`: a factory is written as `package.module:function`")
    return _FACTORY.format(name=name.rpartition(".")[2], module=module, function=function)


def _text_of(path: str) -> str:
    try:
        source = Path(path).read_text(encoding="utf-8")
        ast.parse(source, filename=path)
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or error}") from None
    except SyntaxError as error:
        raise CannotRun(f"{path}:{error.lineno}: the fixture file is not valid Python: {error.msg}") from None
    except ValueError as error:
        raise CannotRun(f"{path}: {error}") from None
    return source
