"""Conditions: what must have held where an event runs, by the branches and loops around it."""

from __future__ import annotations

from typing import Literal

import msgspec

from racelint.model.summary import AnyNode, Branch, Call, Part, Raise, Span, Test
from racelint.program.flow.values import nodes_of

_PAUSES = frozenset({"sleep", "wait"})


class Condition(msgspec.Struct, frozen=True):
    """What was read or called for it, and how that was tested."""

    deps: tuple[int, ...]
    test: Test | Literal["while", "except"]
    negated: bool
    span: Span
    parts: tuple[Part, ...] = ()
    """Conditions that hold together, where it is several in one."""
    at: int = -1
    """The first event after it is tested: the same locks are held."""

    def each(self) -> tuple[Part | Condition, ...]:
        """Every condition that holds by itself."""
        return self.parts or (self,)


def asserts(node: Branch) -> bool:
    """`assert self.x is not None` says what the author takes for granted: nothing is decided by it."""
    return not node.then and all(isinstance(n, Raise) and n.types == (("g:AssertionError",),) for n in node.orelse)


def pauses(block: tuple[AnyNode, ...]) -> bool:
    """Whether a branch waits, so that what comes after it depends on its condition."""
    return any(type(n) is Call and n.func and n.func[0][-1] in _PAUSES for n in nodes_of(block))


def finds(part: Part | Condition) -> bool:
    """Whether it holds where what was read is there."""
    return part.test in ("truth", "none") and not part.negated
