"""One lock for one variable: where it must be held, whether it may be, and the text in which it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from racelint.fixes.base import Attempt, Obstacle, Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.imitated_header import imitated
from racelint.fixes.lock_safety import LockSafety, is_inside
from racelint.fixes.names import claims_of, is_class, lock_at, lock_path, written
from racelint.fixes.new_lock import NewLock, make_lock
from racelint.fixes.parts import Part, parts_of
from racelint.fixes.places import named, stored_at
from racelint.fixes.reasons import in_one
from racelint.fixes.reentrant_lock import make_reentrant
from racelint.fixes.sites import NotCovered, Site
from racelint.fixes.stretch import Stretch
from racelint.model.fix import Applicability
from racelint.program.locking.locks import Lock
from racelint.program.objects.locations import ITSELF, Location
from racelint.syntax.edits import Block, Rewriting, Tree
from racelint.syntax.nodes import nodes_within

_USABLE = frozenset({"lock", "rlock", "condition"})
_LASTING = "other threads wait for the lock until the loop has ended"
_NAMES = (cst.Name, cst.Attribute)


class Choice(NamedTuple):
    """The lock at `location`, or one that is `new`; `reentrant`: it is made one that its holder may take again;
    `foreign`: its name says that it is for something else."""

    location: Location
    new: NewLock | None = None
    reentrant: bool = False
    foreign: bool = False


def is_before(draft: Draft, site: Site, choice: Choice) -> bool:
    """Whether the site stands where the lock is made, before it is: nobody else can know the variable there."""
    owner = site.function.module.name if choice.location.kind == "global" else site.function.id
    kinds = {"global": ("module",), "captured": ("function", "lambda")}.get(choice.location.kind, ())
    if site.function.ir.kind not in kinds or choice.location.owner != owner:
        return False
    tree = draft.tree(site.function.module.source.display)
    first, last = site.stretch.lines(tree)
    if choice.new is not None:
        made_beside = [place.assigned for place in choice.new.places]
        return any(assigned is not None and first <= tree.span(assigned)[0] <= last for assigned in made_beside)
    made = [entry.access.span[0] for entry in stored_at(draft.program, choice.location) if entry.access is not None]
    return bool(made) and last <= min(made)


class Guarding:
    """`location` is the variable, `sites` are where the chosen lock is to be held.

    Raises NotCovered where what is to be locked cannot be put under a `with`, or cannot name the lock.
    """

    def __init__(self, draft: Draft, location: Location, sites: Sequence[Site], choice: Choice) -> None:
        self.draft = draft
        self.location = location
        self.sites = sites = [site for site in sites if not is_before(draft, site, choice)]
        self.choice = choice
        if not sites:
            raise NotCovered("it all happens before the lock is made")
        written_so = [imitated(draft, choice.location, location, site) for site in sites] if choice.new is None else []
        if written_so and all(one is not None and not choice.reentrant for one in written_so):
            self.lock: Lock | None = next(one.lock for one in written_so if one is not None)
            self.headers = [one.header for one in written_so if one is not None]
        else:
            self.lock = None if choice.new else self._known(choice.location)
            self.headers = [self._header(site, choice.location) for site in sites]
        self.display = sites[0].function.module.source.display
        away = [one for site in sites if (one := site.function.module.source.display) != self.display]
        if away:
            files = " and ".join(dict.fromkeys((self.display, *away)))
            raise NotCovered(f"{self._called} is changed in {files}, and a fix changes one file")
        tree = draft.tree(self.display)
        whole = any(site.stretch.is_turn_of_one_line(tree, site.spans) for site in sites)
        self.doubts: tuple[str, ...] = (_LASTING,) if whole else ()
        self.names = [self._spelled(site) for site in sites]
        self.parts = parts_of(tree, sites, self.headers, self.names)

    def _known(self, lock: Location) -> Lock:
        """The lock as every site sees it."""
        found = [lock_at(self.draft.program, lock, site.function, site.base, self.location) for site in self.sites]
        known = found[0]
        if None in found or known is None or known.facts is None:
            nameless = self.sites[found.index(None)] if None in found else self.sites[0]
            raise NotCovered(f"{named(nameless.function)} cannot name the lock `{lock.attribute}` for certain")
        if known.facts.family not in _USABLE:
            raise NotCovered(f"`{known.short}` is a {known.facts.family}: how it keeps others out is not plain to see")
        if not known.shared and any(self._is_static(site) for site in self.sites):
            raise NotCovered(f"{self._called} is of the class, and `{known.short}` of one instance")
        return known

    @property
    def _called(self) -> str:
        return f"`{self.location.attribute}`"

    def _is_static(self, site: Site) -> bool:
        """The state is shared by all instances: a lock per instance would not do."""
        return self.location.kind == "attribute" and is_class(self.draft.program, site.base, site.function)

    def _header(self, site: Site, lock: Location) -> str:
        path = lock_path(lock, site.function, site.base, self.location)
        text = written(path, self.draft.program.stores.facts[site.function.id]) if path is not None else None
        if text is None:
            raise NotCovered(f"{named(site.function)} has no name for the lock `{lock.attribute}`")
        return text

    def around_loops(self) -> bool:
        """Widen each part of a loop's body to the whole loop, and to the `if` that decides on it by what the variable
        holds; False where there is none."""
        tree = self.draft.tree(self.display)
        wider = [site._replace(stretch=self._with_decision(tree, site)) for site in self.sites]
        changed = any(old.stretch != new.stretch for old, new in zip(self.sites, wider, strict=True))
        self.parts = parts_of(tree, wider, self.headers, self.names)
        self.doubts = (*self.doubts, _LASTING)
        return changed

    def _with_decision(self, tree: Tree, site: Site) -> Stretch:
        loop = site.stretch.around_loop(tree)
        branch = tree.parent(loop.block)
        is_all = isinstance(branch, cst.If) and branch.orelse is None and len(loop.block.body) == 1
        if loop == site.stretch or not is_all or not isinstance(branch, cst.If):
            return loop
        name, block = self._spelled(site), tree.parent(branch)
        decides = any(tree.spelled(counted.value) == name for counted in _lengths_in(branch.test))
        if not decides or not isinstance(block, Block):  # an `elif` stands in no block
            return loop
        place = tree.index(branch)
        return Stretch(block, place, place + 1)

    def follows_a_loop(self) -> bool:
        """Whether a part stands in a `for` over the variable itself: each turn rests on what all of it held before."""
        tree = self.draft.tree(self.display)
        for site in self.sites:
            loop = tree.parent(site.stretch.block)
            if isinstance(loop, cst.For) and self.location.fields:
                name = self._spelled(site)
                if any(isinstance(n, _NAMES) and tree.spelled(n) == name for n in nodes_within(loop.iter)):
                    return True
        return False

    def _spelled(self, site: Site) -> str | None:
        """The variable as the site's function writes it."""
        (name, *_), base = self.location.fields, site.base
        if self.location.kind != "attribute":
            return name
        path = base if name == ITSELF else (*base, name)
        return written(path, self.draft.program.stores.facts[site.function.id])

    def proposal(self, path: str) -> Attempt:
        """The new text of the file; an obstacle where something stands elsewhere, or the lock may not be held."""
        new, reentrant = self.choice.new, self.choice.reentrant
        if self.display != path:
            return Obstacle(f"{self._called} is changed in {self.display}, and a fix changes the file of the finding")
        if new is not None and new.display != path:
            return Obstacle(f"the lock would have to be made in {new.display}")
        tree = self.draft.tree(path)
        takers = [part.function for part in self.parts]
        safety = LockSafety(self.draft.program, self.lock, takers, reentrant=reentrant)
        if any(self._never_ends(part, tree) for part in self.parts):
            return Obstacle(
                f"a loop waits there for others to change {self._called}, and nobody could with the lock held"
            )
        settled = [one for part in self.parts for one in part.settled(tree, safety)]
        if obstacles := [clause for _, found, _ in settled for clause in found.obstacles]:
            return Obstacle(obstacles[0])
        doubts = [*self.doubts, *(doubt for _, found, _ in settled for doubt in found.doubts)]
        doubts += [loose.doubt for _, _, loose in settled if loose is not None and loose.doubt]
        rewriting = Rewriting(tree)
        if new is not None:
            nested = reentrant or any(found.nested for _, found, _ in settled)
            make_lock(rewriting, new, "threading", "RLock" if nested else "Lock")
            doubts += [new.doubt] if new.doubt else []
        elif reentrant and (obstacle := make_reentrant(self.draft, rewriting, self.choice.location)):
            return obstacle
        for part, _, loose in settled:
            part.rewrite(rewriting, loose)
        claims = frozenset(claim for part, _, _ in settled for claim in part.stretch.claims(tree))
        if new is not None:
            claims |= claims_of(self.draft.program, new.location)
        cautions = [caution for _, found, _ in settled for caution in found.cautions]
        applicability: Applicability = "display-only" if cautions else "unsafe" if doubts else "safe"
        reason = in_one([*cautions, *doubts])
        return Proposal(rewriting.code(), self._message(), applicability, reason, claims)

    def _never_ends(self, part: Part, tree: Tree) -> bool:
        """Whether a loop of the part waits for others to change the variable: with the lock held, nobody could.

        One that holds the lock already has its own way to let them.
        """
        flow = self.draft.program.flows.of(part.function)
        mine = [
            access
            for access in self.draft.program.shared.of(part.function)
            if access.location.container() == self.location.container()
        ]
        bare = [a for a in mine if self.lock is None or flow.at(a.event).hold(self.lock.location) is None]
        for loop in part.stretch.loops():
            tested = any(is_inside(access.span, tree.span(loop.test)) for access in bare)
            if tested and not any(access.changes and is_inside(access.span, tree.span(loop)) for access in mine):
                return True
        return False

    def _message(self) -> str:
        held = " and ".join(f"`{header}`" for header in sorted(set(self.headers)))
        what = f"old {held} while `{self.location.attribute}` is changed"
        if self.choice.new is not None:
            return f"Add a lock, and h{what}"
        return f"Make the lock an `RLock`, and h{what}" if self.choice.reentrant else f"H{what}"


def _lengths_in(test: cst.BaseExpression) -> list[cst.Arg]:
    """Of what it asks how many there are: `len(rows) > 9`."""
    calls = [node for node in nodes_within(test) if isinstance(node, cst.Call) and len(node.args) == 1]
    return [call.args[0] for call in calls if isinstance(call.func, cst.Name) and call.func.value == "len"]
