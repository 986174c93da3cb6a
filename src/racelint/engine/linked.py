"""What the rules say of one unit: link its summaries, check them, and have LibCST read what is reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from racelint.config.settings import Settings
from racelint.engine.said import Said
from racelint.engine.unreadable import unreadable_finding
from racelint.engine.worker import Reply, describe
from racelint.model.result import Problem
from racelint.model.source import SourceFile
from racelint.model.summary import ModuleSummary

if TYPE_CHECKING:  # what a scan without a fresh unit never imports
    from racelint.rules.base import Rule

ROUNDS = 3
"""How often findings may move to definitions that LibCST has not read yet."""

Reread = Callable[[Sequence[tuple[SourceFile, tuple[int, ...]]]], list[Reply]]
"""Gives fresh replies for files, with LibCST's reading of the definitions that hold these lines."""


class LinkedUnit:
    """The summaries of one unit, and what is said of it."""

    def __init__(self, files: Sequence[SourceFile], replies: Sequence[Reply]) -> None:
        self.said = Said()
        self.modules: dict[str, tuple[SourceFile, ModuleSummary]] = {}
        """By the path shown."""
        for file, reply in zip(files, replies, strict=True):
            self._sort(file, reply)

    def check_until_read(self, rules: Sequence[Rule], settings: Settings, reread: Reread) -> None:
        """Check, have LibCST read what is reported, and check again as long as that changes anything."""
        if not self.modules:
            return
        self._check(rules, settings)
        read: dict[str, set[int]] = {}
        for _ in range(ROUNDS):
            if self.said.problems or not self._read_reported(read, reread):
                break
            self._check(rules, settings)

    def _sort(self, file: SourceFile, reply: Reply) -> None:
        """Put one answer where it belongs."""
        self.said.lasting &= reply.lasting
        if reply.unreadable is not None:
            self.said.unreadable.append(unreadable_finding(file.display, *reply.unreadable))
        elif reply.failure:
            self.said.problems.append(Problem("internal", f"could not be analysed: {reply.failure}", file.display))
        elif reply.summary:
            self.modules[file.display] = (file, reply.decoded)

    def _check(self, rules: Sequence[Rule], settings: Settings) -> None:
        """What the rules say of the linked program. A rule that fails is a problem; the others still speak."""
        from racelint.program import link, unlink

        self.said.findings = []
        try:
            program = link(tuple(self.modules.values()), settings)
        except Exception as error:
            self.said.problems.append(Problem("internal", f"linking failed: {describe(error)}"))
            return
        for rule in rules:
            try:
                self.said.findings.extend(rule.check(program))
            except Exception as error:
                self.said.problems.append(Problem("internal", f"{rule.code} failed: {describe(error)}"))
        unlink(program)

    def _read_reported(self, read: dict[str, set[int]], reread: Reread) -> bool:
        """Have LibCST read each definition with a finding, beyond the lines `read`; whether that changes anything."""
        fresh: dict[str, set[int]] = {}
        for finding in self.said.findings:
            if self.modules[finding.path][0].reported and finding.line not in read.get(finding.path, ()):
                fresh.setdefault(finding.path, set()).add(finding.line)
        for display, lines in fresh.items():
            read.setdefault(display, set()).update(lines)
        wanted = [(self.modules[display][0], tuple(sorted(read[display]))) for display in sorted(fresh)]
        before = [self.modules[display][1] for display in sorted(fresh)]
        for (file, _), reply in zip(wanted, reread(wanted), strict=True):
            self._sort(file, reply)
        return before != [self.modules[display][1] for display in sorted(fresh)]
