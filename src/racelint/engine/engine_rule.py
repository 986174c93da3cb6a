"""What the rules have in common that the engine itself speaks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from racelint.model.finding import Finding

if TYPE_CHECKING:
    from racelint.program import Program


class EngineRule:
    """Mixed into a rule about files, comments or the baseline: no linked program holds any of these."""

    def check(self, program: Program) -> Iterator[Finding]:
        """Nothing: the engine makes these findings where it meets their cause."""
        return iter(())
