"""The dynamic half: which scenarios to run for a finding or a target, in which interpreter, and what came of it."""

from racelint.confirm.confirmation import TargetResult, confirm_finding, confirm_findings, confirm_target, replay
from racelint.confirm.entries import Program, confirm_program
from racelint.confirm.errors import CannotRun
from racelint.confirm.fixed import Proof, Rewritten, prove_fix
from racelint.confirm.replay import BadReplay
from racelint.confirm.settings import Limits, limits_of
from racelint.confirm.targets import Target, parse_target
from racelint.confirm.verdict import cannot

__all__ = [
    "BadReplay",
    "CannotRun",
    "Limits",
    "Program",
    "Proof",
    "Rewritten",
    "Target",
    "TargetResult",
    "cannot",
    "confirm_finding",
    "confirm_findings",
    "confirm_program",
    "confirm_target",
    "limits_of",
    "parse_target",
    "prove_fix",
    "replay",
]
