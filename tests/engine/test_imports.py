"""What a file imports, read without a parser: compared with what `ast` reads."""

from __future__ import annotations

import ast
import sysconfig
from pathlib import Path

import pytest

from racelint.engine.imports import imported_names


def names(source: str, module: str = "pkg.mod", *, is_package: bool = False) -> tuple[str, ...]:
    return imported_names(source.encode(), module, is_package=is_package)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a", ("a",)),
        ("import a.b as c, d", ("a.b", "d")),
        ("from a import b, c as d", ("a", "a.b", "a.c")),
        ("from a import (\n    b,  # why, oh why\n    c,\n)", ("a", "a.b", "a.c")),
        ("from a import b, \\\n    c", ("a", "a.b", "a.c")),
        ("from a \\\n    import b", ("a", "a.b")),
        ("from a.\\\n    b. \\\n    c \\\n    import d", ("a.b.c", "a.b.c.d")),
        ("# as sh: \\\n" * 20_000 + "# import a \\\n" * 20_000 + "import b", ("b",)),
        ("x; " * 20_000 + "import a; " * 20_000, ("a",)),
        ("from a import *", ("a",)),
        ("from a import(b)", ("a", "a.b")),
        ("try: import a\nexcept ImportError: import b", ("a", "b")),
        ("x = 1; import a", ("a",)),
        ("    import a  # later", ("a",)),
        ("from . import a", ("pkg", "pkg.a")),
        ("from .a import b", ("pkg.a", "pkg.a.b")),
        ("from .. import a", ()),
        ("from .. a import b", ()),
        ("import a\r\nfrom b import c\r\n", ("a", "b", "b.c")),
        ("import größe", ("größe",)),
        ("\ufeffimport a", ("a",)),
        ("import a\rfrom b import c\r", ("a", "b", "b.c")),
        ("# in C:\\\nimport a", ("a",)),
        ("x = 1  # in C:\\\nfrom a import b", ("a", "a.b")),
        ("from a import (\n    b,  # (the first)\n    c,\n)\nimport d", ("a", "a.b", "a.c", "d")),
        ("from a import (  # import e\n    b,\n)", ("a", "a.b")),
        ("from .\\\n  a \\\n import b", ("pkg.a", "pkg.a.b")),
        ("from \\\n  a \\\n . \\\n b \\\n import c", ("a.b", "a.b.c")),
        (
            "from .himport import A, b\nfrom a import zipimport",
            ("pkg.himport", "pkg.himport.A", "pkg.himport.b", "a", "a.zipimport"),
        ),
        ("import a . b, c", ("a.b", "c")),
        ("from a . b import c", ("a.b", "a.b.c")),
        ("important = 1\nreimport = 2\nx.import_module('a')\nyield from a", ()),
        ("", ()),
    ],
)
def test_forms_of_import(source: str, expected: tuple[str, ...]) -> None:
    assert names(source) == expected


def test_relative_imports_of_a_package_start_at_itself() -> None:
    assert names("from . import a\nfrom .b import c", "pkg.sub", is_package=True) == (
        "pkg.sub",
        "pkg.sub.a",
        "pkg.sub.b",
        "pkg.sub.b.c",
    )
    assert names("from ..x import y", "pkg.sub", is_package=True) == ("pkg.x", "pkg.x.y")


def test_nothing_that_ast_sees_is_missed_in_the_standard_library() -> None:
    folder = Path(sysconfig.get_path("stdlib"))
    files = [*sorted(folder.glob("*.py"))[:80], *sorted(folder.glob("concurrent/**/*.py"))]
    compared = 0
    for file in files:
        module = ".".join(file.relative_to(folder).with_suffix("").parts)
        source = file.read_bytes()
        seen = set(imported_names(source, module, is_package=False))
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                assert {alias.name for alias in node.names} <= seen, file
                compared += 1
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert node.module in seen, file
                compared += 1
    assert compared > 300
