"""From the scope of a scan to what the rules say of it: summarise, link, check, and read again what is reported."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

import msgspec

from racelint.config.settings import Settings
from racelint.engine.collector import collector_paused
from racelint.engine.pool import WorkerError, summarize_all
from racelint.engine.scope import Scope
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.unreadable import unreadable_finding
from racelint.engine.worker import Reply, Request, describe
from racelint.model.finding import Finding
from racelint.model.result import Problem
from racelint.model.source import SourceFile
from racelint.model.summary import ModuleSummary
from racelint.program import Program, link
from racelint.rules.base import Rule

ROUNDS = 3
"""How often findings may move to definitions that LibCST has not read yet."""


class Analysis:
    """The findings of one scope. `unreadable` holds an RL900 for each file that cannot be read."""

    def __init__(self, scope: Scope, rules: Iterable[Rule], settings: Settings, jobs: int | None = None) -> None:
        self.unreadable: list[Finding] = []
        self.findings: list[Finding] = []
        self.problems: list[Problem] = []
        self._scope = scope
        self._rules = tuple(rules)
        self._settings = settings
        self._jobs = jobs
        self._modules: dict[str, tuple[SourceFile, ModuleSummary]] = {}
        """The summaries by the path shown."""

    def run(self) -> Analysis:
        """Fill in the findings. Whatever goes wrong with a file or a rule is a problem; the rest goes on."""
        self._summarize()
        with collector_paused():
            self._check()
            reread: dict[str, set[int]] = {}
            for _ in range(ROUNDS):
                if not self._reread(reread):
                    break
                self._check()
        return self

    @property
    def modules(self) -> tuple[tuple[SourceFile, ModuleSummary], ...]:
        """The files that were linked, with their summaries."""
        return tuple(self._modules.values())

    def _summarize(self) -> None:
        scope = self._scope
        readable = [
            file
            for file in scope.files
            if file.path in scope.sources and (file.reported or file.path in scope.relevant)
        ]
        self.unreadable.extend(
            unreadable_finding(file.display, f"cannot be read: {scope.unreadable[file.path]}")
            for file in scope.files
            if file.path in scope.unreadable
        )
        requests = [
            Request(file.display, scope.sources[file.path], file.path not in scope.relevant) for file in readable
        ]
        for file, reply in zip(readable, self._answers(requests), strict=False):
            self._sort(file, reply)

    def _answers(self, requests: Sequence[Request]) -> list[Reply]:
        try:
            return summarize_all(requests, self._jobs)
        except WorkerError as error:
            self.problems.append(Problem("internal", str(error)))
            return []

    def _sort(self, file: SourceFile, reply: Reply) -> None:
        """Put one answer where it belongs."""
        if reply.unreadable is not None:
            self.unreadable.append(unreadable_finding(file.display, *reply.unreadable))
        elif reply.failure:
            self.problems.append(Problem("internal", f"could not be analysed: {reply.failure}", file.display))
        elif reply.summary:
            self._modules[file.display] = (file, msgspec.msgpack.decode(reply.summary, type=ModuleSummary))

    def _check(self) -> None:
        """What the rules say of the linked program. A rule that fails is a problem; the others still speak."""
        self.findings = []
        try:
            program = call_with_deep_stack(partial(link, self.modules, self._settings))
        except Exception as error:
            self.problems.append(Problem("internal", f"linking failed: {describe(error)}"))
            return
        for rule in self._rules:
            try:
                self.findings.extend(call_with_deep_stack(partial(_said, rule, program)))
            except Exception as error:
                self.problems.append(Problem("internal", f"{rule.code} failed: {describe(error)}"))

    def _reread(self, known: dict[str, set[int]]) -> bool:
        """Have LibCST read every definition with a finding, beyond the lines `known`; whether that changes anything."""
        fresh: dict[str, set[int]] = {}
        for finding in self.findings:
            if self._modules[finding.path][0].reported and finding.line not in known.get(finding.path, ()):
                fresh.setdefault(finding.path, set()).add(finding.line)
        for display, lines in fresh.items():
            known.setdefault(display, set()).update(lines)
        requests = [
            Request(display, self._scope.sources[self._modules[display][0].path], False, tuple(sorted(known[display])))
            for display in sorted(fresh)
        ]
        changed = False
        for request, reply in zip(requests, self._answers(requests), strict=False):
            file, before = self._modules[request.display]
            self._sort(file, reply)
            changed = changed or self._modules[request.display][1] != before
        return changed


def _said(rule: Rule, program: Program) -> list[Finding]:
    return list(rule.check(program))
