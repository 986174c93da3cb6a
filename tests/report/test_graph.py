"""The drawing of a lock order."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from racelint.report.html.graph import BOX, Drawing, draw, on_cycles

CHAIN = [("a", "b"), ("b", "c")]


def columns(drawing: Drawing) -> dict[str, float]:
    return {box.name: box.x for box in drawing.boxes}


def test_edges_on_a_cycle_are_told_from_those_that_lead_to_one() -> None:
    ring = {("a", "b"), ("b", "c"), ("c", "a")}
    assert on_cycles([*ring, ("x", "a"), ("c", "y"), ("b", "d")]) == ring
    assert on_cycles([("a", "b"), ("b", "a"), ("a", "c"), ("c", "d"), ("d", "c")]) == {
        *(("a", "b"), ("b", "a")),
        *(("c", "d"), ("d", "c")),
    }


def test_nothing_to_draw() -> None:
    assert draw([]) == []


def test_the_order_runs_from_left_to_right() -> None:
    (drawing,) = draw([*CHAIN, ("a", "c")])
    x = columns(drawing)
    assert x["a"] < x["b"] < x["c"]


def test_an_edge_passes_between_the_boxes() -> None:
    (drawing,) = draw([*CHAIN, ("a", "c")])
    (straight,) = draw(CHAIN)
    path = next(line.path for line in drawing.lines if (line.first, line.second) == ("a", "c"))
    middle = next(box for box in drawing.boxes if box.name == "b")
    assert drawing.height > straight.height
    passing = float(path.partition(" L")[0].rpartition(",")[2])
    assert not middle.y <= passing <= middle.y + BOX[1]


def test_an_edge_that_closes_a_cycle_runs_back() -> None:
    (drawing,) = draw([*CHAIN, ("c", "a")])
    assert columns(drawing) == columns(draw(CHAIN)[0])
    assert [(line.first, line.second) for line in drawing.lines] == [("a", "b"), ("b", "c"), ("c", "a")]


def test_what_does_not_hang_together_is_drawn_apart() -> None:
    assert [sorted(columns(drawing)) for drawing in draw([("x", "y"), ("a", "b"), ("c", "b")])] == [
        ["a", "b", "c"],
        ["x", "y"],
    ]


nodes = st.sampled_from("abcdefgh")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(nodes, nodes).filter(lambda edge: edge[0] != edge[1]), max_size=14), st.randoms())
def test_boxes_lie_apart_inside_the_picture_whatever_the_order(edges: list[tuple[str, str]], chance: Random) -> None:
    drawings = draw(edges)
    shuffled = edges[:]
    chance.shuffle(shuffled)
    assert draw(shuffled) == drawings
    assert sorted((line.first, line.second) for drawing in drawings for line in drawing.lines) == sorted(set(edges))
    for drawing in drawings:
        corners = {(box.x, box.y) for box in drawing.boxes}
        assert len(corners) == len(drawing.boxes)
        assert all(0 <= x <= drawing.width - BOX[0] and 0 <= y <= drawing.height - BOX[1] for x, y in corners)
