"""Python's parser and LibCST's read the same thing: whichever reads a file, the summary is one."""

from __future__ import annotations

import ast
from pathlib import Path

import libcst as cst
import pytest

from racelint.engine.stack import call_with_deep_stack
from racelint.model.summary import ModuleSummary
from racelint.summarize.module import resummarize, summarize_source, summarize_tree
from racelint.syntax.concrete import reread, tree_of
from racelint.syntax.misplaced import definitions, misplaced
from racelint.syntax.quick import read

FIXTURES = sorted(Path(__file__).parents[1].joinpath("fixtures").rglob("*.py"))

SYNTAX = {
    "displays": "x = [1, *a, (b, c), {1: 2, **d}, {3, *e}, ()]\n",
    "subscripts": "x = a[1], a[1:2, ::3], a[b, c], a[(d, e)], a[f,]\n",
    "calls": "f(1, *a, k=2, **b)(x for x in y)(z)(k=1, *a)\n",
    "chains": "x = a and b and c or d and (e and f)\ny = a < b in c\n",
    "strings": "x = 'a' \"b\" f'{c!r:>{d}}' f\"{e['k']:{f}.{g}}\" '''i\nj'''\ny = rb'h' b'i'\n",
    "numbers": "x = 0x1F, 1_000, 1e3, 2j, -1, ~1, not 1, ...\n",
    "comprehensions": "x = [a async for a, (b, *c) in d if e if f for g in h], {i: j for i in k}, {l for l in m}\n",
    "lambdas": "f = lambda a, /, b=1, *c, d, e=2, **g: (yield)\n",
    "parameters": "def f(a: int, /, b: 'str' = 1, *c: d, e, f=2, **g: h) -> i: return a\n",
    "decorators": "@a\n@b.c(d)\nasync def f():\n    await g()\n    async with h as i, j: pass\n",
    "async": "async def f():\n    async for k in l: pass\n",
    "classes": "class A(B, C[d], *f, metaclass=E, **g):\n    x: int = 1; y: str\n    def z(self): self.x += 1\n",
    "flow": "for a, b in c:\n    if d: break\n    elif e: continue\n    else: pass\nelse: f()\n",
    "while": "while g: h()\nelse: i()\n",
    "try": "try: a()\nexcept (B, c.D) as e: raise F from e\nexcept: raise\nelse: g()\nfinally: h()\n",
    "groups": "try: a()\nexcept* B as c: pass\n",
    "with": "with (a as b, c): pass\nwith d, e as (f, g[h], i.j): pass\n",
    "assignments": "a = b, c = d = e\nf.g @= h\n[i, *j] = k\n(l) = m\nif (u := v): pass\n",
    "deletions": "del n, o[p], q.r\ndel (s, t)\n",
    "imports": "import a, b.c, d.e as f\nfrom . import g\nfrom ..h.i import (j as k, l,)\nfrom m import *\n",
    "names": "def f():\n    global a, b\n    def g():\n        nonlocal c\n        c = 1\n    c = a\n",
    "match": "match a:\n    case [B(c, d=e), *_] | {'f': g, **h} if i: j()\n    case m: pass\n",
    "values": "match a:\n    case None | -1 | k.l: pass\n",
    "layout": "class A:\n\tdef f(self):\n\t\treturn (\n\t\t\tself.größe\n\t\t), 'ф', self.x  # ф\n\tif a: b; c\n",
    "ends": "if a:\r\n    b = '''\r\n'''; c()\r\n",
}


def both(source: bytes) -> tuple[ModuleSummary, ModuleSummary]:
    tree, text = read(source)
    return summarize_tree(tree, text), summarize_tree(tree_of(cst.parse_module(text), text), text)


@pytest.mark.parametrize("kind", SYNTAX)
def test_the_two_readers_agree_on_syntax(kind: str) -> None:
    quick, concrete = both(SYNTAX[kind].encode())
    assert quick == concrete


@pytest.mark.parametrize("folder", sorted({path.parent.name for path in FIXTURES}))
def test_the_two_readers_agree_on_fixtures(folder: str) -> None:
    for path in FIXTURES:
        if path.parent.name == folder:
            quick, concrete = call_with_deep_stack(lambda path=path: both(path.read_bytes()))
            assert quick == concrete, path


@pytest.mark.parametrize(
    "source",
    [
        "def f[T: int](self: T) -> T: self.n += 1\n",
        "class A[T, *U]:\n    def f(self): self.n += 1\n",
        "type A = int\ndef f(self): self.n += 1\n",
        "def f(self):\n    try: pass\n    except A, B: pass\n    self.n += 1\n",
        "def f(self): self.n += t'{self.a}'\n",
        "def f(self): self.n += f'{self.a[\"b\"]}'\n",
    ],
)
def test_syntax_newer_than_the_interpreter_is_read(source: str) -> None:
    (function,) = (f for f in summarize_source(source.encode()).functions if f.name == "f")
    assert [node.path for node in function.body if getattr(node, "augmented", False)] == [("p:self", "n")]


DEFINITIONS = '''\
import threading

@decorate(
    "x")
def outer(a):
    return f"""
{a.b}"""

class Account:
    limit = 1; other = 2

    @property
    def money(self):
        def inner():
            return self.m
        return inner

    if limit:
        def nested(self): return self.größe + self.m
'''
HOLDERS = {
    1: 1,
    2: None,
    3: 5,
    4: 5,
    7: 5,
    8: None,
    9: 9,
    10: None,
    11: 9,
    12: 13,
    14: 13,
    16: 13,
    17: 9,
    18: 18,
    19: 18,
}


@pytest.mark.parametrize("line", HOLDERS)
def test_the_definition_around_a_line_is_read_by_libcst(line: int) -> None:
    """`HOLDERS` gives the line that it begins on; None where there is none, or none that stands alone on its lines."""
    tree, text = read(DEFINITIONS.encode())
    before = {id(node) for node in ast.walk(tree)}
    reread(definitions(tree, [line]), text)
    fresh = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and id(node) not in before]
    assert fresh[:1] == ([] if HOLDERS[line] is None else [HOLDERS[line]])
    assert summarize_tree(tree, text) == summarize_tree(tree_of(cst.parse_module(text), text), text)


def test_places_inside_f_strings_are_libcsts() -> None:
    source = b'class A:\n    def f(self):\n        return f"""\n  {self.money + self.total}"""\n'
    again = resummarize(source, "a.py", [3])
    (*_, function) = (again or summarize_source(source)).functions
    assert [node.span for node in function.body[:2]] == [(4, 4, 4, 14), (4, 17, 4, 27)]


def test_what_both_read_alike_is_not_summarized_twice() -> None:
    source = b"def f(a, *, b=1):\n    del a[b]\n    with open(f'{a}-{b}') as (c, d):\n        return {**c, 'd': d}\n"
    assert resummarize(source, "a.py", [1]) is None
    tree, text = read(source)
    before = summarize_tree(tree, text)
    tree.body[0].body[0].targets[0].col_offset += 1  # type: ignore[attr-defined]
    assert summarize_tree(tree, text) != before
    assert reread(definitions(tree, [1]), text)
    assert summarize_tree(tree, text) == before


@pytest.mark.parametrize(
    ("line", "doubtful"),
    [("f'{a}'", True), ("f'{{a}}'", False), ("'{a}'", False), ("lambda: g(f'{a:{b}}')", True), ("a + b", False)],
)
def test_libcst_reads_only_what_an_older_parser_misplaces(line: str, doubtful: bool) -> None:
    text = f"def f(a, b, g):\n    return {line}\n\ndef other(a):\n    return f'{{a}}'\n"
    tree, _ = read(text.encode())
    for node in ast.walk(tree.body[0]):
        if isinstance(node, ast.FormattedValue):
            node.value.col_offset -= 1  # as an older parser may put it
    assert [body[at] for body, at in misplaced(tree, text, [2], places_all=False)] == tree.body[: 1 if doubtful else 0]
    assert misplaced(tree, text, [2], places_all=True) == []


@pytest.mark.parametrize("line", ["f'{a} {b}'", "f'{{{a}'", "f'{ a.b[0] }{b!r}'"])
def test_what_stands_where_the_parser_says_is_not_read_again(line: str) -> None:
    text = f"def f(a, b):\n    return {line}\n"
    tree, _ = read(text.encode())
    assert misplaced(tree, text, [2], places_all=False) == []
