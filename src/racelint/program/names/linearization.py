"""The order in which a class and its bases are asked for a method."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from racelint.program.names.index import ClassInfo


def linearized(cls: ClassInfo) -> list[ClassInfo]:
    """C3 where the hierarchy allows it, else depth first without repeats."""
    try:
        return _c3(cls, ())
    except ValueError:
        found: dict[str, ClassInfo] = {}
        pending = [cls]
        while pending:
            current = pending.pop(0)
            if current.id not in found:
                found[current.id] = current
                pending = current.bases + pending
        return list(found.values())


def _c3(cls: ClassInfo, path: tuple[ClassInfo, ...]) -> list[ClassInfo]:
    if cls in path:
        raise ValueError(cls.id)
    if len(cls.bases) < 2:
        return [cls, *(each for base in cls.bases for each in _c3(base, (*path, cls)))]
    lists = [_c3(base, (*path, cls)) for base in cls.bases] + [list(cls.bases)]
    result = [cls]
    while any(lists):
        lists = [entries for entries in lists if entries]
        for entries in lists:
            head = entries[0]
            if not any(head in other[1:] for other in lists):
                break
        else:
            raise ValueError(cls.id)
        result.append(head)
        for entries in lists:
            if entries[0] is head:
                del entries[0]
    return result
