"""What the user's configuration says of names: the thread roots that no call in the program shows."""

from __future__ import annotations

from collections.abc import Iterable

from racelint.program.names.index import Index
from racelint.program.names.thread_root import ThreadRoot


def means(names: Iterable[str], dotted: str) -> bool:
    """Whether one of `names` is `dotted` or the end of it."""
    return any(dotted == name or dotted.endswith("." + name) for name in names)


def declared_roots(index: Index, names: tuple[str, ...]) -> list[ThreadRoot]:
    """A root, of which several may run at once, for each function and method that `names` mean."""
    return [
        ThreadRoot("thread", function, many=True)
        for function in (index.functions if names else ())
        if means(names, function.id.replace(":", "."))
    ]
