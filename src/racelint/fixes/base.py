"""What a fix is: for the findings of some rules, one or more new texts of the file, the best first, or why none."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from racelint.fixes.draft import Draft
from racelint.model.finding import Finding
from racelint.model.fix import Applicability


class Proposal(NamedTuple):
    """A new text for the finding's file; `message` says what was done, `reason` why it is not safe.

    `claims` names what it makes that there can be only one of: two that claim the same are not applied together.
    """

    text: str
    message: str
    applicability: Applicability = "safe"
    reason: str = ""
    claims: frozenset[str] = frozenset()


class Obstacle(NamedTuple):
    """Why the code cannot be put right in one of the ways that a fix knows: a clause, to be read after "no fix:"."""

    words: str


Attempt = Proposal | Obstacle


class Fixer(ABC):
    """Base of every fix; it is registered by being a class in a file of this package.

    `codes` are the rules whose findings it puts right. The docstring says what it does, and when it is safe. It `locks`
    where it puts statements under a lock: then those that have nothing to do with it are not to share their line.
    """

    codes: ClassVar[tuple[str, ...]]
    locks: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        if not getattr(cls, "codes", ()) or not cls.__doc__:
            raise TypeError(f"{cls.__name__} does not say which rules it fixes, and how")

    @abstractmethod
    def propose(self, finding: Finding, draft: Draft) -> Iterator[Attempt]:
        """Texts to try in order, and what stands in the way of others.

        The first that removes the finding and adds no other is taken, so that a proposal need not be sure of that.
        Where none is, the user is told why the first that was tried failed, else the first obstacle.
        """
