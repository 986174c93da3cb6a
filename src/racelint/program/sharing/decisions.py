"""What a change, or a second read, has to do with the read that decided about it."""

from __future__ import annotations

from typing import Literal

from racelint.knowledge.containers import TAKING_METHODS
from racelint.model.summary import ELEMENT
from racelint.program.sharing.shared import SharedAccess

CompoundKind = Literal[
    "update", "check-then-act", "check-then-use", "lazy-init", "write-then-use", "read-then-empty", "exchange"
]
_WHATEVER_IS_THERE = frozenset({"append", "appendleft", "add", "update", "extend", "discard", "clear"})
"""Changes of a container that never fail for what it holds."""
_DOUBLING = frozenset({"append", "appendleft", "extend"})
"""What two threads do that found the container empty, both of them do: its elements are there twice."""


def same_place(read: SharedAccess, act: SharedAccess) -> bool:
    """Whether a read sees what the act changes: the same location and, for elements, not plainly different keys."""
    if read.location != act.location or read.deed == "iterate" or _of_other_object(read, act):
        return False
    return not act.location.content or read.key == act.key or not read.key or not act.key


def decides(read: SharedAccess, act: SharedAccess, test: str, negated: bool) -> CompoundKind | None:
    """What a change in a branch that a read decided is; None where the one has nothing to do with the other."""
    if read.location.container() != act.location.container() or _of_other_object(read, act):
        return None
    if act.location.content:
        if read.location.content and read.key and act.key and read.key != act.key:
            return None
        if act.method == "setdefault":
            return None  # the first to come stays, whoever checked
        if act.deed == "mutate" and act.method in _WHATEVER_IS_THERE:
            seen = read.location.content and act.method in ("append", "add")
            filled = test == "truth" and negated and act.method in _DOUBLING and _is_row(read, act)
            return "check-then-act" if seen or filled else None
        return "check-then-act"
    if read.location != act.location:
        return None
    if act.augmented:
        return "check-then-act"
    constant = bool(act.value) and all(path[0].startswith("k:") for path in act.value)
    if test == "while" and constant:
        return None  # a loop that goes on until a flag is set
    if test in ("none", "truth", "except") and negated and not constant:
        return "lazy-init"
    return "check-then-act"


def _of_other_object(read: SharedAccess, act: SharedAccess) -> bool:
    """The one is of `self`, the other of another parameter or of an object behind one."""
    mine, theirs = (access.path[: len(access.path) - len(access.location.fields)] for access in (read, act))
    return (
        read.function is act.function
        and mine != theirs
        and all(path[:1] and path[0].startswith("p:") for path in (mine, theirs))
    )


def _is_row(container: SharedAccess, element: SharedAccess) -> bool:
    """Whether the one reads the container, by name or as the element of another one, that holds the other's element."""
    same_row = not container.location.content or container.key == element.outer_key != ""
    return container.location.below(ELEMENT) == element.location and same_row


def relies(first: SharedAccess, use: SharedAccess, test: str, negated: bool) -> bool:
    """Whether a second read fails where the answer of the first no longer holds."""
    if negated or use.deed != "read":
        return False
    if use.location.content:
        if test == "in":
            return first.location == use.location and first.key == use.key != "" and not use.method
        return test in ("truth", "while", "compare") and _is_row(first, use) and not use.method
    return test in ("none", "truth", "while") and first.location == use.location and use.path == first.path


def takes(act: SharedAccess) -> bool:
    """One step that takes an element out, or fails."""
    return act.location.content and (act.deed == "delete" or act.method in TAKING_METHODS)


def puts_back(read: SharedAccess, dep: int, act: SharedAccess) -> bool:
    """What `pop` took out, which nobody else has meanwhile."""
    return read.method in TAKING_METHODS and (f"c:{dep}",) in act.value


def sets_flag(act: SharedAccess) -> bool:
    """Setting a flag twice, or resetting it twice, is setting it once."""
    return bool(act.value) and all(path[0] in ("k:True", "k:False", "k:None") for path in act.value)


def is_from_elsewhere(act: SharedAccess) -> bool:
    """What is stored is kept somewhere else, too: nothing is made or taken back."""
    return bool(act.value) and all(len(path) > 1 and path[0].startswith(("p:", "g:")) for path in act.value)
