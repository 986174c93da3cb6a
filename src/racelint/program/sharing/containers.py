"""What the program's containers do when they are resized while somebody goes through them."""

from __future__ import annotations

from racelint.knowledge.containers import RAISING_CONTAINERS
from racelint.model.summary import ELEMENT
from racelint.program.objects.things import Object
from racelint.program.objects.types import Types
from racelint.program.sharing.shared import SharedAccess


def kind_of(iteration: SharedAccess, types: Types) -> str:
    """`dict` for what raises when it is resized, `list` for what silently skips elements, else empty."""
    for thing in types.of(iteration.path[:-1], iteration.function):
        if isinstance(thing, Object):
            name = thing.dotted.rpartition(".")[2].lower()
            if name in RAISING_CONTAINERS:
                return "dict"
            if name == "list":
                return "list"
    return ""


def may_resize(access: SharedAccess) -> bool:
    """Whether elements may come or go: what is stored under a key may be the first there."""
    stores = access.deed == "write" and not access.augmented and access.path[-1] == ELEMENT
    return access.resizes or stores
