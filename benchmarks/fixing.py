"""Fixes of one target, looked at from outside: whether they parse, what a scan says after them, what runs show."""

from __future__ import annotations

import ast
import os
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from racelint.config.settings import ConfirmSettings, Settings
from racelint.confirm import CannotRun, Proof, Rewritten, prove_fix
from racelint.engine.fixing import fixed, offered
from racelint.engine.scan import Scanned, ScanOptions, scan, scanned
from racelint.fixes.text_edits import apply_edits, moved_line
from racelint.model.finding import Finding
from racelint.rules.registry import all_rules
from racelint.syntax.source import decode, encoding_of

OPTIONS = ScanOptions(Settings(select=("ALL",)), jobs=1)
CONFIRMED = "confirmed before the fix"
"""How a proof begins that has something to compare with."""
CONFIRMABLE = {rule.code for rule in all_rules() if rule.confirmable}


@dataclass(frozen=True)
class Outcome:
    """One finding. `gone`: a scan of the fixed file finds neither it nor anything new.

    `proof` is what running the code before and after the fix shows, None where that was not asked or not possible;
    `unproved` is why not.
    """

    finding: Finding
    parses: bool = False
    gone: bool = False
    proof: Proof | None = None
    unproved: str = ""

    @property
    def offered(self) -> bool:
        """Whether there is a fix that can be applied: a sketch for a person to finish is none."""
        return self.finding.fix is not None and self.finding.fix.applicability != "display-only"

    @property
    def safe(self) -> bool:
        return self.finding.fix is not None and self.finding.fix.applicability == "safe"


def outcomes(
    folder: Path,
    target: str,
    wanted: Callable[[Finding], bool],
    budget: float,
    python: Callable[[], Path] | None = None,
    fixtures: str = "",
) -> list[Outcome]:
    """What came of the `wanted` findings in `target` (below `folder`); no code is run where `budget` is 0.

    Each is tried alone; what leaves the code broken then, together with what else is found in its function or of
    its variable, as `racelint fix --confirm` does.

    `python` gives the interpreter where a fix is to be proved, or raises RuntimeError where there is none; `fixtures`
    names a file of the user's that builds objects and calls.
    """
    found = scanned([target], OPTIONS, str(folder))
    chosen = tuple(finding for finding in found.result.findings if wanted(finding))
    asked = msgspec.structs.replace(found.result, findings=chosen)
    result = offered(msgspec.structs.replace(found, result=asked))
    settings: ConfirmSettings | None = None
    unproved = ""
    if budget and any(finding.fix is not None for finding in result.findings):
        try:
            settings = ConfirmSettings(str(python()) if python else None, budget, fixtures=fixtures or None)
        except RuntimeError as error:
            unproved = f"cannot be installed: {str(error).splitlines()[0]}"
    alone = [replace(_outcome(found, f, folder, settings), unproved=unproved) for f in result.findings]
    broken = {_key(o.finding) for o in alone if o.proof is not None and o.proof.breaks}
    if settings is None or not broken:
        return alone
    named = [name for o in alone if _key(o.finding) in broken for name in (o.finding.symbol, o.finding.subject)]
    beside = {name for name in named if name}
    together = fixed(
        [target],
        OPTIONS,
        ("safe", "unsafe"),
        lambda result: [f for f in result.findings if f.symbol in beside or f.subject in beside],
        settings,
        str(folder),
    )
    shown = [(f, f.fix.proof) for f in together.applied if f.fix is not None]
    proofs = {_key(f): Proof(True, proof) for f, proof in shown if CONFIRMED in proof}
    return [
        replace(outcome, proof=proofs[key]) if (key := _key(outcome.finding)) in proofs and key in broken else outcome
        for outcome in alone
    ]


def _outcome(found: Scanned, finding: Finding, folder: Path, settings: ConfirmSettings | None) -> Outcome:
    if finding.fix is None:
        return Outcome(finding)
    file = next(file for file in found.scope.files if file.display == finding.path)
    source = found.scope.sources[file.path]
    text = apply_edits(decode(source), finding.fix.edits).encode(encoding_of(source))
    try:
        ast.parse(text)
    except SyntaxError:
        return Outcome(finding)
    proof = _proof(found, finding, Path(file.path), text, folder, settings) if settings else None
    return Outcome(finding, True, _is_gone(found, finding, file.path, text, folder), proof)


def _is_gone(found: Scanned, finding: Finding, path: str, fixed: bytes, folder: Path) -> bool:
    given = [file.path for file in found.scope.files if file.reported]
    after = scan(given, ScanOptions(OPTIONS.settings, jobs=1, unsaved={path: fixed}), str(folder))
    old, new = (Counter(map(_key, result.findings)) for result in (found.result, after))
    told = [_telling(result.findings) for result in (found.result, after)]
    return new[_key(finding)] < old[_key(finding)] and not told[1] - told[0]


def _telling(findings: Iterable[Finding]) -> Counter[tuple[str, str, str, str]]:
    """Without advice: a lock or a wait that a fix makes may bring such about what stands beside it."""
    return Counter(_key(finding) for finding in findings if finding.severity != "info")


def _key(finding: Finding) -> tuple[str, str, str, str]:
    return finding.code, finding.path, finding.symbol, finding.subject


def _proof(
    found: Scanned, finding: Finding, path: Path, fixed: bytes, folder: Path, settings: ConfirmSettings
) -> Proof | None:
    if finding.code not in CONFIRMABLE or finding.fix is None:
        return None
    there = {path: Rewritten(fixed, partial(moved_line, edits=finding.fix.edits))}
    files = {Path(file.path): found.scope.sources[file.path] for file in found.scope.files}
    os.chdir(folder)  # the paths of findings start there
    try:
        return prove_fix(finding, path, files, there, settings, folder)
    except CannotRun:
        return None
