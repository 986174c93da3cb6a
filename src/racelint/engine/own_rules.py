"""What the engine itself reports, beside what the rules find: RL900 to RL903. None of them reads the Program."""

from __future__ import annotations

from racelint.engine.bad_directive import BadDirective
from racelint.engine.stale_baseline import StaleBaseline
from racelint.engine.unreadable import UnreadableFile
from racelint.engine.unused_suppression import UnusedSuppression
from racelint.rules.base import Rule

OWN_RULES: tuple[Rule, ...] = (UnreadableFile(), UnusedSuppression(), BadDirective(), StaleBaseline())
