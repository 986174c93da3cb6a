"""One lock for one variable: where it must be held, whether it may be, and the text in which it is."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.lock_safety import LockSafety
from racelint.fixes.names import lock_at, lock_path, written
from racelint.fixes.new_lock import NewLock, make_lock, new_lock
from racelint.fixes.parts import parts_of
from racelint.fixes.sites import NotCovered, Site, all_sites, own_sites
from racelint.program.locations import Location
from racelint.program.locks import Lock
from racelint.program.suspects import Suspect
from racelint.syntax.edits import Rewriting

_USABLE = frozenset({"lock", "rlock", "condition"})


def existing_locks(draft: Draft, suspect: Suspect) -> Iterator[Location]:
    """The locks that may be meant for the variable: its guard, else the only one beside it."""
    if suspect.guard is not None:
        yield suspect.guard
    elif len(suspect.group.owner_locks) == 1:
        yield from suspect.group.owner_locks


def fresh_lock(draft: Draft, suspect: Suspect) -> Guarding | None:
    """The same with a lock that is made for it; None where the variable has a guard, or there is no place for one."""
    if suspect.guard is not None:
        return None
    static = any(draft.program.suspects.races.records.is_static(r.access) for r in suspect.group.records)
    new = new_lock(draft, suspect.group.location, static)
    return Guarding(draft, suspect, new.location, new) if new is not None else None


class Guarding:
    """Raises NotCovered where what is to be locked cannot be put under a `with`, or cannot name the lock."""

    def __init__(self, draft: Draft, suspect: Suspect, lock: Location, new: NewLock | None = None) -> None:
        self.draft = draft
        self.suspect = suspect
        self.location = suspect.group.location
        self.new = new
        guarded = lock == suspect.guard
        self.sites = own_sites(draft, suspect) if guarded else all_sites(draft, suspect, None if new else lock)
        self.lock = None if new else self._known(lock)
        self.headers = [self._header(site, lock) for site in self.sites]
        self.doubts: tuple[str, ...] = ()
        self.display = self.sites[0].function.module.source.display
        if any(site.function.module.source.display != self.display for site in self.sites):
            raise NotCovered
        self.parts = parts_of(draft.tree(self.display), self.sites, self.headers)

    def _known(self, lock: Location) -> Lock:
        """The lock as every site sees it."""
        found = {lock_at(self.draft.program, lock, site.function, site.base, self.location) for site in self.sites}
        known = next(iter(found))
        if None in found or known is None or known.facts is None or known.facts.family not in _USABLE:
            raise NotCovered
        if not known.shared and any(self._is_static(site) for site in self.sites):
            raise NotCovered
        return known

    def _is_static(self, site: Site) -> bool:
        """The state is shared by all instances: a lock per instance would not do."""
        return self.location.kind == "attribute" and site.base[0].startswith("cls:")

    def _header(self, site: Site, lock: Location) -> str:
        path = lock_path(lock, site.function, site.base, self.location)
        text = written(path, self.draft.program.stores.facts[site.function.id]) if path is not None else None
        if text is None:
            raise NotCovered
        return text

    def around_loops(self) -> bool:
        """Widen each part of a loop's body to the whole loop; False where there is none."""
        tree = self.draft.tree(self.display)
        wider = [site._replace(stretch=site.stretch.around_loop(tree)) for site in self.sites]
        changed = any(old.stretch != new.stretch for old, new in zip(self.sites, wider, strict=True))
        self.parts = parts_of(tree, wider, self.headers)
        self.doubts = (*self.doubts, "other threads wait for the lock until the loop has ended")
        return changed

    def proposal(self, path: str) -> Proposal | None:
        """The new text of the file; None where something stands elsewhere, or the lock may not be held."""
        if self.display != path or (self.new is not None and self.new.display != path):
            return None
        tree = self.draft.tree(path)
        safety = LockSafety(self.draft.program, self.lock, [part.function for part in self.parts])
        examined = [part.examined(tree, safety) for part in self.parts]
        if any(found.obstacles for found, _ in examined):
            return None
        doubts = [*self.doubts, *(doubt for found, _ in examined for doubt in found.doubts)]
        rewriting = Rewriting(tree)
        if self.new is not None:
            make_lock(rewriting, self.new, any(found.nested for found, _ in examined))
            doubts += [self.new.doubt] if self.new.doubt else []
        for part, (_, loose) in zip(self.parts, examined, strict=True):
            part.rewrite(rewriting, loose)
        return Proposal(
            rewriting.code(),
            self._message(),
            "unsafe" if doubts else "safe",
            "; ".join(dict.fromkeys(doubts)),
            frozenset([str(self.new.location)] if self.new is not None else []),
        )

    def _message(self) -> str:
        held = " and ".join(f"`{header}`" for header in sorted(set(self.headers)))
        what = f"old {held} while `{self.location.attribute}` is changed"
        return f"Add a lock, and h{what}" if self.new is not None else f"H{what}"
