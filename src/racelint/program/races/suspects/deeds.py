"""What an access does to another one: takes away what it needs, changes what it looked at, or leaves it in peace."""

from __future__ import annotations

from racelint.knowledge.containers import TAKING_METHODS
from racelint.program.parallel.records import Record
from racelint.program.sharing.shared import SharedAccess

ADDING = frozenset({"append", "appendleft", "extend", "add", "setdefault", "put"})
"""Methods that add to a container in one step."""

_WRITTEN_OUT = "'\"0123456789"
"""What keys begin with that are literals."""

_ADDING_MANY = ADDING | {"extendleft", "insert", "update"}


def touches(record: Record, other: Record) -> bool:
    """Whether the other's change can matter: the same location, or the name of the container that holds it."""
    if record.access.location == other.access.location:
        mine, theirs = record.access, other.access
        return not (are_others(mine.key, theirs.key) or are_others(mine.outer_key, theirs.outer_key))
    inner, outer = record.access.location.fields, other.access.location.fields
    if record.access.location.content and other.access.location.content:
        return len(outer) < len(inner) and inner[: len(outer)] == outer
    return record.access.location.content != other.access.location.content


def are_others(mine: str, theirs: str) -> bool:
    """Whether two keys are written out, and differ."""
    written = bool(mine and theirs) and mine[0] in _WRITTEN_OUT and theirs[0] in _WRITTEN_OUT
    return written and mine != theirs


def removes(record: Record) -> bool:
    """An element is taken out, or all of them are."""
    access = record.access
    if access.deed == "delete":
        return True
    return access.deed == "mutate" and (access.method in TAKING_METHODS or access.method == "clear")


def empties(record: Record) -> bool:
    """An attribute set to None or deleted."""
    access = record.access
    if access.deed == "delete":
        return True
    return access.deed == "write" and ("k:None",) in access.value


def adds(record: Record) -> bool:
    """An element comes in, or may."""
    access = record.access
    if not access.location.content:
        return False
    return access.deed == "write" or (access.deed == "mutate" and access.method in _ADDING_MANY)


def adds_at_once(record: Record) -> bool:
    """One step that adds an element."""
    return record.access.deed == "mutate" and record.access.method in ADDING


def harmless_beside(record: Record, other: Record) -> bool:
    """One atomic addition breaks only what iterates, replaces or empties the container under the lock."""
    if not adds_at_once(record):
        return False
    access = other.access
    if access.deed == "iterate" or (access.changes and not access.location.content):
        return False
    return not (access.deed == "mutate" and access.method in ("clear", "sort", "reverse"))


def is_put(access: SharedAccess) -> bool:
    """`self.timers[key] = …`."""
    return access.location.content and access.deed == "write" and not access.augmented and bool(access.key)
