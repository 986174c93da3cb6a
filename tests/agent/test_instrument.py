"""Instrumented code does what the original does, on the same lines, and names its sites alike in both copies."""

from __future__ import annotations

import traceback
from typing import Any

import pytest

from racelint.agent.instrument import OPERATORS, instrument
from racelint.agent.loader import shadow
from racelint.agent.sites import SiteTable

PROGRAMS = {
    "augmented": "class A: pass\na = A(); a.n = [1]; b = a.n\na.n += [2]; a.n[0] += 3\nresult = (a.n, a.n is b)",
    "order": """
log = []
def note(x, value=None):
    log.append(x)
    return value
class A:
    n = 1
    d = {'k': 1}
a = A()
note('a', a).d[note('key', 'k')] += note('right', 5)
note('b', a).n = note('value', 9)
note('c', a).d.update(note('argument', {}), z=note('keyword', 2))
result = (log, a.n, a.d)
""",
    "globals": """
n = 0
def bump(by):
    global n
    n += by
    n = n * 2
    return n
result = (bump(1), bump(2), n)
""",
    "closures": """
def make():
    count = 0
    def inc():
        nonlocal count
        count += 1
        return count
    return inc
f = make()
result = (f(), f(), [f() for _ in range(2)])
""",
    "mangled": """
class A:
    def __init__(self): self.__n = 1
    def more(self):
        self.__n += 1
        return self.__n
result = A().more()
""",
    "slices": "x = list(range(9))\nx[1:3] += ['a']\nx[::4] = [0, 0, 0]\ndel x[0]\nresult = x",
    "match": """
class K: A = 1; B = 2
def f(v):
    match v:
        case K.A: return 'a'
        case {'x': x, **rest} if rest: return (x, rest)
        case [K.B, *more]: return more
        case _: return None
result = [f(1), f({'x': 1, 'y': 2}), f([2, 3]), f(0)]
""",
    "generators": """
def g(n):
    got = yield n
    yield from (x for x in [got, n] if x)
i = g(2)
result = (next(i), i.send(5), list(i))
""",
    "loops": """
d = {'a': 1, 'b': 2}
class H:
    items = [3, 1, 2]
    def run(self):
        out = []
        for i, x in enumerate(self.items):
            if x == 1: continue
            out.append((i, x))
        else:
            out.append('end')
        while out:
            if out.pop() == 'end': break
        return out, {k: v for k, v in d.items() if v in self.items}, sum(x for x in self.items)
result = H().run()
""",
    "with": """
from contextlib import contextmanager
@contextmanager
def cm(log):
    log.append('in')
    try: yield log
    finally: log.append('out')
class H:
    log = []
    def run(self):
        with cm(self.log) as a, cm(a) as self.other:
            self.log.append('body')
        return self.other
result = H().run()
""",
    "properties": """
class P:
    def __init__(self): self._x = 0
    @property
    def x(self): return self._x
    @x.setter
    def x(self, v): self._x = v * 2
p = P(); p.x += 3; p.x: int = 4
result = p.x
""",
    "strings and walrus": "class A: n = 3\na = A()\nresult = f'{a.n!r:>4}|{(m := a.n) + 1}|{m}'",
    "starred": "a, *b = [1, 2, 3]\ndef f(*p, **k): return p, k\nresult = f(*b, *[a], **{'z': 1})",
    "lambdas and defaults": "class C:\n    n = 2\nresult = (lambda c, k=C.n: c.n + k)(C)",
}


class Harmless:
    """Marks that do nothing, as outside any search."""

    def marks(self) -> dict[str, Any]:
        def same(site: int, value: Any = None) -> Any:
            return value

        return {
            **OPERATORS,
            **dict.fromkeys(("_rl_p", "_rl_q", "_rl_c", "_rl_o", "_rl_n", "_rl_v", "_rl_w"), same),
            "_rl_t": lambda site: True,
            "_rl_s": lambda site, test: test(),
        }


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_result_is_that_of_the_original(name: str, traced: bool) -> None:
    source = PROGRAMS[name]
    plain: dict[str, Any] = {}
    exec(compile(source, "p.py", "exec"), plain)
    table = SiteTable()
    code = instrument(source, "p.py", "p.py", table, False)
    if traced:
        code = instrument(source, "p.py", "p.py", shadow(table), True)
    changed = Harmless().marks()
    exec(code, changed)
    assert changed["result"] == plain["result"]


def test_traceback_shows_the_original_line() -> None:
    source = "class A: pass\n\ndef f(a):\n    x = 1\n    a.n += x\n\nf(A())\n"
    namespace = Harmless().marks()
    with pytest.raises(AttributeError) as caught:
        exec(instrument(source, "p.py", "p.py", SiteTable(), False), namespace)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].lineno == 5


def test_read_and_write_of_an_increment_are_two_sites() -> None:
    table = SiteTable()
    instrument("def f(c):\n    c.n += 1\n", "p.py", "pkg/p.py", table, False)
    assert [(s.name, s.kind, s.line, s.text) for s in table.sites] == [
        ("pkg/p.py:f:1", "read", 2, "c.n"),
        ("pkg/p.py:f:2", "write", 2, "c.n"),
    ]


def test_sites_of_one_function_do_not_move_when_another_grows() -> None:
    one, other = SiteTable(), SiteTable()
    instrument("def f(c):\n    c.n += 1\n", "p.py", "p.py", one, False)
    instrument("def g(c):\n    c.m = c.k\n\ndef f(c):\n    c.n += 1\n", "p.py", "p.py", other, False)
    assert {s.name for s in one.sites} <= {s.name for s in other.sites}
