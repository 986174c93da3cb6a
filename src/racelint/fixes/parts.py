"""The parts of a file that go under one lock: sites made into as few blocks as possible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from racelint.fixes.drained import drained
from racelint.fixes.lock_safety import Examination, Extent, LockSafety
from racelint.fixes.loosening import Loosened, loosened
from racelint.fixes.sites import Site
from racelint.fixes.stretch import Stretch, outermost
from racelint.model.summary import Span
from racelint.program.names.index import FunctionInfo
from racelint.syntax.edits import Rewriting, Tree


class Part(NamedTuple):
    """`stretch` goes under `with header:`; `spans` are what in it is to be one step.

    `pieces`: what it was joined from, where not all of it need be one step.
    """

    function: FunctionInfo
    stretch: Stretch
    header: str
    spans: tuple[Span, ...]
    pieces: tuple[Part, ...] = ()

    def settled(self, tree: Tree, safety: LockSafety) -> list[tuple[Part, Examination, Loosened | None]]:
        """The part itself, or its pieces where less speaks against the lock there."""
        found, loose = self.examined(tree, safety)
        if self.pieces and any(found.weight):
            apart = [(piece, *piece.examined(tree, safety)) for piece in self.pieces]
            against = tuple(map(sum, zip(*(one.weight for _, one, _ in apart), strict=True)))
            if against < found.weight:
                return apart
        return [(self, found, loose)]

    def examined(self, tree: Tree, safety: LockSafety) -> tuple[Examination, Loosened | None]:
        """What speaks against the lock there, and how the block can be made smaller where that speaks less."""
        extent = Extent(*self.stretch.lines(tree))
        opened = [tree.span(node.items[0].item)[0] for node in self.stretch.blocks_on(tree, self.header)]
        whole = safety.examine(self.function, extent, opened, self.spans)
        if opened or not any(whole.weight):
            return whole, None
        loose = loosened(tree, self.stretch, self.spans) or drained(tree, self.stretch)
        if loose is None:
            return whole, None
        less = safety.examine(self.function, loose.extent, (), self.spans)
        return (less, loose) if less.weight < whole.weight else (whole, None)

    def rewrite(self, rewriting: Rewriting, loose: Loosened | None) -> None:
        """Put the part under the lock."""
        if loose is None:
            self.stretch.wrap(rewriting, self.header)
        else:
            block, start, stop = self.stretch
            rewriting.splice(block, start, stop, lambda body: loose.build(body, self.header))


def parts_of(tree: Tree, sites: Sequence[Site], headers: Sequence[str], names: Sequence[str | None] = ()) -> list[Part]:
    """The sites by the text of their lock (in the same order), those that overlap, nest or touch made one.

    So is what stands under the lock already right before or behind them, and lines there that hand on the variable,
    which the site's function calls by its name of `names`.
    """
    by_header: dict[str, list[Site]] = {}
    called: dict[str, set[str]] = {}
    for site, header, name in zip(sites, headers, names or [None] * len(sites), strict=True):
        by_header.setdefault(header, []).append(site)
        called.setdefault(header, set()).update([name] if name else [])
    found: list[Part] = []
    for header, mine in by_header.items():
        pieces = [_part(tree, stretch, header, mine) for stretch in outermost(tree, [s.stretch for s in mine])]
        known = [p.stretch.with_readings(tree, called[header]).with_neighbours(tree, header) for p in pieces]
        grown = outermost(tree, known, touching=True)
        for stretch in grown:
            inside = tuple(piece for piece in pieces if stretch.covers(piece.stretch))
            one = inside[0].stretch == stretch
            spans = tuple(span for piece in inside for span in piece.spans)
            found.append(inside[0] if one else Part(inside[0].function, stretch, header, spans, inside))
    return found


def _part(tree: Tree, stretch: Stretch, header: str, sites: Iterable[Site]) -> Part:
    first, last = stretch.lines(tree)
    inside = [site for site in sites if first <= site.stretch.lines(tree)[0] <= last]
    function = next(site.function for site in inside if site.stretch.block is stretch.block)
    return Part(function, stretch, header, tuple(s for site in inside if site.function is function for s in site.spans))
