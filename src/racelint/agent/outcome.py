"""What one execution came to: returns, exceptions, state, and whether it hung."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .leftovers import Left
from .snapshot import Tree, pooled, text_of, without_order
from .telling import differing


class Outcome:
    """`parts` are labelled trees: what each operation returned or raised, then the state.

    `results` counts the parts that are operations' results. `hang` says why nothing could go on ("" if all ended),
    `blocked` which operations wait for ever. `invariant` is False if the user's invariant does not hold.
    `stale` are the tests under which a thread waited and went on though they still held. `refused`: a thread was
    refused a lock that another one held, as no thread is in a serial order. `left` is what it leaves behind, `started`
    counts the threads that the operations started. `unsettled`: a thread in the background could still go on, and the
    state says how far it was by then. `beside`: there were threads that no operation stands for or joins; `asked`
    is what the operations alone returned or raised. `serves`: threads that were started for it turn, or wait, with
    nobody in their way, for what may still come. `known_to` is the baseline that has said that it knows the outcome.
    """

    __slots__ = (
        "_key",
        "asked",
        "beside",
        "blocked",
        "cycle",
        "hang",
        "invariant",
        "known_to",
        "left",
        "parts",
        "raised",
        "refused",
        "results",
        "serves",
        "stale",
        "started",
        "unsettled",
        "waiting",
    )

    def __init__(self, parts: tuple[tuple[str, Tree], ...], results: int) -> None:
        self.parts = parts
        self.results = results
        self.hang = ""
        self.blocked: tuple[str, ...] = ()
        self.waiting: tuple[str, ...] = ()
        self.cycle = False
        self.refused = self.serves = False
        self.invariant = True
        self.stale: tuple[str, ...] = ()
        self.unsettled = False
        self.beside = False
        self.asked: tuple[tuple[str, Tree], ...] = ()
        self.raised: frozenset[tuple[str, str]] = frozenset()
        self.left: Left = {}
        self.started = 0
        self.known_to: Any = None
        self._key: Any = None

    @property
    def told(self) -> tuple[tuple[str, Tree], ...]:
        """What the operations returned or raised."""
        return self.parts[: self.results]

    @property
    def state(self) -> tuple[tuple[str, Tree], ...]:
        """What there is apart from what the operations returned or raised."""
        return self.parts[self.results :]

    @property
    def key(self) -> Any:
        """Equal for equal outcomes; hashable."""
        if self._key is None:
            self._key = (self.parts, self.hang, self.blocked, self.invariant, self.stale)
        return self._key

    def unordered_keys(self) -> tuple[Any, Any]:
        """Two coarser keys: order of elements forgotten; and elements of lists pooled, whoever holds them."""
        results = sorted((repr(without_order(tree)) for _, tree in self.parts[: self.results]))
        state = tuple((label, without_order(tree)) for label, tree in self.parts[self.results :])
        fixed = (self.hang, self.blocked, self.invariant, self.stale)
        pool: list[str] = []
        emptied = tuple((label, pooled(tree, pool)) for label, tree in self.parts[self.results :])
        gathered = sorted(repr(pooled(tree, pool)) for _, tree in self.parts[: self.results])
        return (tuple(results), state, fixed), (tuple(gathered), emptied, tuple(sorted(pool)), fixed)

    def text(self, labels: set[str] | None = None, beside: Sequence[Outcome] = ()) -> str:
        """The parts named by `labels` (all if None) as one line; of large ones what differs from those `beside`."""
        known = [dict(other.parts) for other in beside if other is not self]
        spoken = []
        for label, tree in self.parts:
            if labels is None or label in labels:
                text = text_of(tree)
                others = [parts[label] for parts in known if label in parts] if text.endswith("…") else []
                spoken.append(f"{label} {text_of(differing(tree, others)) if others else text}")
        if self.hang:
            spoken.insert(0, f"{', '.join(self.blocked) or 'a thread'} never ends")
        spoken.extend(f"a thread that waited for the end of `{test}` goes on while it holds" for test in self.stale)
        if not self.invariant:
            spoken.append("the invariant is false")
        spoken.extend(self._more_left(beside))
        return "; ".join(spoken)

    def _more_left(self, beside: Sequence[Outcome]) -> list[str]:
        """What it leaves behind of a kind that all others leave less of."""
        found: list[str] = []
        for kind, texts in self.left.items():
            if beside and all(len(texts) > len(other.left.get(kind, ())) for other in beside if other is not self):
                found.extend(texts)
        return found


def telling_labels(outcomes: list[Outcome]) -> set[str]:
    """The labels whose parts are not the same in all the outcomes, and not for the numbers of their objects alone."""
    first, *others = map(_by_label, outcomes)
    found: set[str] = set()
    for parts in others:
        found.update(label for label in first.keys() | parts.keys() if first.get(label) != parts.get(label))
    renumbered = {label for label in found if all(_only_again(parts.get(label, [])) for parts in (first, *others))}
    return found - renumbered or found


def _by_label(outcome: Outcome) -> dict[str, list[Tree]]:
    """Operations of one name have one label."""
    found: dict[str, list[Tree]] = {}
    for label, tree in outcome.parts:
        found.setdefault(label, []).append(tree)
    return found


def _only_again(trees: list[Tree]) -> bool:
    """Whether there is nothing to them but that they are objects met before: their numbers tell nothing."""
    return bool(trees) and all(tree[0] == "same" for tree in trees)
