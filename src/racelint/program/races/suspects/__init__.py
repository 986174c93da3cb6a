"""Suspects: what is wrong with a location, if anything, and between which two records.

Each suspect is one defect. The order of precedence within one function is: a split critical section, a guard that is
broken, a check outside its act, a lazy initialisation, an unguarded update; so that one defect is reported once. Each
kind of defect is searched for by a class of its own, for one group at a time.
"""

from racelint.program.races.suspects.choice import Suspects
from racelint.program.races.suspects.suspect import Suspect, SuspectKind

__all__ = ["Suspect", "SuspectKind", "Suspects"]
