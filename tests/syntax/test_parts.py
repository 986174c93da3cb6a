"""What a node holds, beside what the standard library says that it holds."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from racelint.syntax import scopes
from racelint.syntax.parts import parts_of

SIGNS = (ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop)
SOURCES = sorted(Path(scopes.__file__).parents[1].glob("s*/*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_parts_are_the_child_nodes_but_those_that_say_how_it_is_used(source: Path) -> None:
    for node in ast.walk(ast.parse(source.read_text("utf-8"))):
        children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, SIGNS)]
        assert [part for part in parts_of(node) if isinstance(part, ast.AST)] == children
