"""The order of locks as plain data: every place where one is taken while another is held."""

from __future__ import annotations

from racelint.model.overview import LockEdge
from racelint.program.linker import Program
from racelint.program.objects.locations import Location, distinct_names


def lock_edges(program: Program) -> tuple[LockEdge, ...]:
    """The edges of the program's lock order, by the names of the two locks and then by place."""
    order = program.lock_order
    names = distinct_names(location for pair in order.edges for location in pair)
    cycles: dict[tuple[Location, Location], int] = {}
    for number, cycle in enumerate(order.cycles(), 1):
        for edge in cycle:
            cycles.setdefault((edge.first, edge.second), number)
    found = {
        LockEdge(
            first=names[edge.first],
            second=names[edge.second],
            path=edge.nesting.function.module.source.display,
            line=edge.nesting.span[0],
            symbol=edge.nesting.function.symbol,
            cycle=cycles.get((edge.first, edge.second), 0),
        )
        for witnesses in order.edges.values()
        for edge in witnesses
    }
    return tuple(sorted(found, key=lambda edge: (edge.first, edge.second, edge.path, edge.line)))
