"""The user's own fixtures: a Python file whose `make_<Name>` functions build what racelint cannot make up."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from racelint.confirm.errors import CannotRun


@dataclass(frozen=True)
class Fixtures:
    """Which names the fixture file defines, and its text: it becomes part of the scenario, so a replay carries it.

    It runs before the module is imported. `make_<Class>()` builds an object of that class, `make_<parameter>()` a value
    for any parameter of that name; `call_<function>(subject)` does what a caller of the function or method does, with
    no argument for a plain function.
    """

    source: str = ""
    names: frozenset[str] = frozenset()

    def maker(self, name: str) -> str | None:
        """The function that makes `name`, where the file has one."""
        wanted = f"make_{name}"
        return wanted if wanted in self.names else None

    def caller(self, name: str) -> str | None:
        """The function that calls `name`, where the file has one."""
        wanted = f"call_{name}"
        return wanted if wanted in self.names else None


def read_fixtures(path: str) -> Fixtures:
    """Read a fixture file, none for an empty path. Raises CannotRun with a sentence for one that cannot be read."""
    if not path:
        return Fixtures()
    try:
        source = Path(path).read_text(encoding="utf-8")
        tree = ast.parse(source, filename=path)
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or error}") from None
    except SyntaxError as error:
        raise CannotRun(f"{path}:{error.lineno}: the fixture file is not valid Python: {error.msg}") from None
    except ValueError as error:
        raise CannotRun(f"{path}: {error}") from None
    names = frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))
    return Fixtures(source, names)
