"""How often an event runs: the product of the turns of its loops, where all of them are known."""

from __future__ import annotations

from racelint.model.summary import Branch, Loop
from racelint.program.flow.walk import place_of
from racelint.program.linked.numbers import Assumption, number
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo

_MAX_DEPTH = 4


def runs_of(
    program: Program,
    function: FunctionInfo,
    event: int,
    once: FunctionInfo,
    depth: int = 0,
    assumed: Assumption | None = None,
) -> int | None:
    """How often `event` runs for each run of `once` (or in the whole program); None where it is not certain."""
    places = place_of(function, event)
    total = 1
    for place in places:
        node = place.node
        if isinstance(node, Branch) and node.constant != "main":
            return None
        if isinstance(node, Loop) and place.block is not node.orelse:
            turns = number(program, node.turns, function, assumed=assumed)
            if turns is None:
                return None
            total *= max(turns, 0)
    if not places:
        return None
    return _of_function(program, function, once, total, depth, assumed)


def _of_function(
    program: Program, function: FunctionInfo, once: FunctionInfo, total: int, depth: int, assumed: Assumption | None
) -> int | None:
    if function is once or function.ir.kind == "module":
        return total
    sites = [site for site in program.calls.incoming.get(function.id, []) if not site.weak]
    if not sites:
        return total
    if len(sites) > 1 or depth >= _MAX_DEPTH:
        return None
    runs = runs_of(program, sites[0].caller, sites[0].event, once, depth + 1, assumed)
    return None if runs is None else total * runs
