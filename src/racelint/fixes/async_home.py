"""Where coroutines that share an object find their lock: a known one of asyncio, or one to be made."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from racelint.fixes.draft import Draft
from racelint.fixes.names import claims_of
from racelint.fixes.new_lock import make_lock, new_lock
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Object
from racelint.syntax.edits import Rewriting


class AsyncHome(NamedTuple):
    """`header` names the lock in the function, `make` writes it where there is none, `claims`: see Proposal.

    `lock` is what the analysis knows of one that is there.
    """

    header: str
    make: Callable[[Rewriting], None]
    claims: frozenset[str]
    lock: Lock | None = None


def async_homes(draft: Draft, function: FunctionInfo, beside: Location) -> Iterator[AsyncHome]:
    """The one `asyncio.Lock` of the method's class, then a new one for `beside`; for functions, one of the module.

    None of a class: its instances live in several event loops, and a lock belongs to one.
    """
    known = _known(draft, function) if beside.kind == "attribute" else None
    if known is not None:
        (name,) = known.fields
        lock = draft.program.locks.of((f"p:{function.self_name}", name), function)
        yield AsyncHome(f"{function.self_name}.{name}", lambda rewriting: None, frozenset([str(known)]), lock)
    new = new_lock(draft, beside, static=False)
    if new is None or new.display != function.module.source.display or new.is_static:
        return
    name = new.location.fields[0]
    owned = new.location.kind == "attribute"
    if owned and not function.self_name:
        return
    header = f"{function.self_name}.{name}" if owned else name
    claims = claims_of(draft.program, new.location) | async_locks_of(new.location.owner)
    yield AsyncHome(header, lambda rewriting: make_lock(rewriting, new, "asyncio", "Lock"), claims)


def async_locks_of(owner: str) -> frozenset[str]:
    """What a fix claims that makes the owner's lock for coroutines: the next is to take the same one."""
    return frozenset([f"the asyncio locks of {owner}"])


def _known(draft: Draft, function: FunctionInfo) -> Location | None:
    """The only attribute of the class that holds a lock of asyncio."""
    if function.cls is None or not function.self_name:
        return None
    owners = {cls.id for cls in function.cls.mro}
    types = draft.program.types
    found = {
        (owner, name)
        for (owner, name), entries in draft.program.stores.attributes.items()
        if owner in owners
        for entry in entries
        for thing in types.of_value(entry.value, entry.function)
        if isinstance(thing, Object) and thing.dotted == "asyncio.Lock"
    }
    only = next(iter(found)) if len(found) == 1 else None
    return Location("attribute", only[0], (only[1],)) if only is not None else None
