"""Insert a yield point before each access that may be shared, keeping lines, semantics and evaluation order.

The helpers that the instrumented code calls are module globals, so that their behaviour can be changed without
compiling again (`points.py`):

    _rl_p(site, obj) -> obj      yield point before an access of `obj`
    _rl_q(site, obj) -> obj      names the object of the access whose yield point comes after its arguments
    _rl_c(site, value) -> value  that yield point
    _rl_t(site) -> True          a turn of a loop begins
    _rl_o(site, iterable)        iterate, with a yield point before each further element
    _rl_n(site, iterable)        a counted loop, which may be shortened
    _rl_h(callee, text)          (where calls are made to stall) waits for ever
    _rl_s(site, test)            a wait under `if` is over: does what it waited about still hold?
    _rl_v(site, value) -> value  (traced copies only) the value that an access read
    _rl_w(site, value) -> value  (traced copies only) the value that an access is about to write
"""

from __future__ import annotations

import ast
from typing import Any

from .mark_assignments import OPERATORS, AssignmentMarks
from .mark_expressions import ExpressionMarks
from .mark_flow import FlowMarks
from .scopes import ModuleNames
from .sites import SiteTable
from .stall import stall

HELPERS = ("_rl_p", "_rl_q", "_rl_c", "_rl_t", "_rl_o", "_rl_n", "_rl_h", "_rl_s", "_rl_v", "_rl_w")
TEMPORARIES = ("_rl_object", "_rl_key", "_rl_value")

__all__ = ["HELPERS", "OPERATORS", "TEMPORARIES", "instrument"]


class Instrumenter(AssignmentMarks, FlowMarks, ExpressionMarks):
    """All the marks together."""


def instrument(source: bytes | str, path: str, file: str, table: SiteTable, traced: bool, stalls: str = "") -> Any:
    """Compile `source` with yield points. `file` is its name in sites. Raises SyntaxError as `compile` does.

    `stalls` is `function:callee` for calls that shall never return, empty for none.
    """
    tree = ast.parse(source, path)
    if stalls:
        stall(tree, *stalls.split(":"))
    names = ModuleNames(tree)
    text = source.encode() if isinstance(source, str) else source
    Instrumenter(names, text, path, file, table, traced).run(tree)
    ast.fix_missing_locations(tree)
    return compile(tree, path, "exec", dont_inherit=True)
