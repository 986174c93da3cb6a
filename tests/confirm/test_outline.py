"""What is read from a module's source, and how a file is named for import."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.confirm.outline import ModuleOutline, read_outline
from racelint.confirm.project import Project, layout_of


def outline_of(tmp_path: Path, source: str, name: str = "mod.py") -> ModuleOutline:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return read_outline(path, path.stem)


SHAPES = """
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple
import attrs

@dataclass
class Point:
    x: int
    y: int = 0
    names: list[str] = field(default_factory=list)
    hidden: int = field(init=False)
    kind: ClassVar[str] = "p"

class Row(NamedTuple):
    key: str
    value: int = 1

@attrs.define
class Job:
    _owner: str

class Outer:
    class Inner:
        def method(self, a, /, b, *rest, c, d=1, **others): ...
    @classmethod
    def make(cls, n): ...
    @staticmethod
    def helper(n): ...
    @property
    def size(self): return 1
    @size.setter
    def size(self, value): ...
    async def fetch(self): ...
    def items(self):
        yield 1

def outer():
    global TOTAL
    def inner(): ...
    class Local: ...
    return inner

if __name__ == "__main__":
    LOCAL = 1
"""


def test_kinds_of_functions(tmp_path: Path) -> None:
    functions = outline_of(tmp_path, SHAPES).functions
    kinds = {name: function.kind for name, function in functions.items()}
    assert kinds == {
        "Outer.Inner.method": "method",
        "Outer.make": "classmethod",
        "Outer.helper": "staticmethod",
        "Outer.size": "property",
        "Outer.size.setter": "setter",
        "Outer.fetch": "method",
        "Outer.items": "method",
        "outer": "function",
        "outer.<locals>.inner": "function",
    }
    assert functions["Outer.fetch"].is_async
    assert functions["Outer.items"].is_generator
    assert functions["outer.<locals>.inner"].nested


def test_parameters_leave_self_out(tmp_path: Path) -> None:
    functions = outline_of(tmp_path, SHAPES).functions
    found = [(p.name, p.kind, p.required) for p in functions["Outer.Inner.method"].parameters]
    assert found == [
        ("a", "positional", True),
        ("b", "positional", True),
        ("rest", "var-positional", False),
        ("c", "keyword", True),
        ("d", "keyword", False),
        ("others", "var-keyword", False),
    ]
    assert [p.name for p in functions["Outer.make"].parameters] == ["n"]
    assert [p.name for p in functions["Outer.helper"].parameters] == ["n"]


def test_generated_constructors(tmp_path: Path) -> None:
    classes = outline_of(tmp_path, SHAPES).classes
    fields = {
        name: [(p.name, p.required) for p in cls.fields] for name, cls in classes.items() if cls.fields is not None
    }
    assert fields == {
        "Point": [("x", True), ("y", False), ("names", False)],
        "Row": [("key", True), ("value", False)],
        "Job": [("owner", True)],
    }
    assert classes["outer.<locals>.Local"].nested
    assert not classes["Outer.Inner"].nested


def test_names_under_the_main_guard_are_no_globals(tmp_path: Path) -> None:
    outline = outline_of(tmp_path, SHAPES)
    assert outline.main_guard is not None
    assert outline.variables == {"TOTAL"}


def test_enclosing_function_is_the_innermost_one(tmp_path: Path) -> None:
    outline = outline_of(tmp_path, SHAPES)
    line = SHAPES[: SHAPES.index("def inner")].count("\n") + 1
    inner = outline.enclosing(line)
    assert inner is not None and inner.qualname == "outer.<locals>.inner"
    assert outline.outermost(inner).qualname == "outer"


@pytest.mark.parametrize(
    ("files", "target", "module", "root"),
    [
        (["one.py"], "one.py", "one", "."),
        (["pkg/__init__.py", "pkg/one.py"], "pkg/one.py", "pkg.one", "."),
        (
            ["src/pkg/__init__.py", "src/pkg/sub/__init__.py", "src/pkg/sub/a.py"],
            "src/pkg/sub/a.py",
            "pkg.sub.a",
            "src",
        ),
        (["pkg/__init__.py"], "pkg/__init__.py", "pkg", "."),
        (["with-dash.py"], "with-dash.py", "with-dash", "."),
    ],
)
def test_import_names(tmp_path: Path, files: list[str], target: str, module: str, root: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    layout = layout_of(tmp_path / target, tmp_path)
    assert layout.module == module
    assert layout.sys_path[0] == str((tmp_path / root).resolve())
    assert str(tmp_path.resolve()) in layout.sys_path


def test_relative_imports_name_a_namespace_package(tmp_path: Path) -> None:
    (tmp_path / "space" / "sub").mkdir(parents=True)
    (tmp_path / "space" / "other.py").write_text("")
    (tmp_path / "space" / "sub" / "one.py").write_text("from ..other import x\n")
    assert layout_of(tmp_path / "space" / "sub" / "one.py", tmp_path).module == "space.sub.one"


def test_names_are_resolved_across_files(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("from .base import Base\n")
    (tmp_path / "pkg" / "base.py").write_text("class Base:\n    def run(self): ...\n")
    (tmp_path / "pkg" / "one.py").write_text(
        "from . import base\nfrom pkg import Base as B\nimport pkg.base\nclass One(B): ...\n"
    )
    project = Project(tmp_path)
    module = project.module(tmp_path / "pkg" / "one.py")
    for name in ("B", "base.Base", "pkg.base.Base"):
        found = project.find_class(module, name)
        assert found is not None and found[0].path.name == "base.py", name
    assert project.find_class(module, "Nothing") is None
    assert list(project.methods(module, module.classes["One"])) == ["run"]
    assert [path.name for path in project.imported(module)] == ["__init__.py", "base.py"]
