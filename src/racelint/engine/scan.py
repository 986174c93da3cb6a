"""One scan from paths to findings: the pipeline's order, and nothing of what its steps do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from racelint.config.hierarchy import Hierarchy, Scoped
from racelint.config.load import project_root
from racelint.config.settings import Settings
from racelint.engine.collector import collector_paused
from racelint.engine.discover import Discovery, WalkOptions, discover
from racelint.engine.findings import Sources, finish
from racelint.engine.ignoring import Patterns
from racelint.engine.paths import absolute, printable
from racelint.engine.policy import Excluding, Policy
from racelint.engine.pool import WorkerError, summarize_all
from racelint.engine.scope import Scope, gather
from racelint.engine.selection import chosen_rules
from racelint.engine.stack import call_with_deep_stack
from racelint.engine.unreadable import unreadable_finding
from racelint.engine.worker import Reply, Request, describe
from racelint.model.finding import Finding
from racelint.model.result import Problem, ScanResult
from racelint.model.source import SourceFile
from racelint.model.summary import ModuleSummary
from racelint.program import Program, link
from racelint.rules.base import Rule


class ScanOptions(msgspec.Struct, frozen=True):
    """How to scan: `jobs` None means as many processes as pay.

    `settings` hold everywhere, unless `hierarchy` says what holds where. With `whole_project`, all files of the project
    are analysed with those asked for, so that a thread that another file starts counts; else only what they import.
    `comments` says whether those that silence findings count. `unsaved` is the text of files (by absolute path) that
    counts instead of what the disk holds.
    """

    settings: Settings = Settings()
    jobs: int | None = None
    hierarchy: Hierarchy | None = None
    extra_excludes: tuple[str, ...] = ()
    whole_project: bool = False
    comments: bool = True
    unsaved: dict[str, bytes] = {}


def scan(paths: Sequence[str], options: ScanOptions, cwd: str | None = None) -> ScanResult:
    """Scan `paths` (relative ones below `cwd`). Raises ConfigError.

    Whatever goes wrong with one path, file or rule is a finding or an error of the result; the rest is still scanned.
    """
    here = absolute(cwd or os.getcwd())
    root = str(root_of(paths, here))
    hierarchy = options.hierarchy or Hierarchy(Scoped(options.settings, Path(here)))
    discovery, context = find_files(paths, options, hierarchy, here)
    folders = sorted({Path(path).parent for path in discovery.files})
    settings = hierarchy.combined(folders)
    scope = gather(discovery.files, root, here, settings.declared_names, context, options.unsaved)
    summaries, unreadable, errors = _summarize(scope, options)
    rules = chosen_rules(scoped.settings for scoped in map(hierarchy.of, folders))
    found, troubles = _check(scope, summaries, rules, settings)
    problems = (*discovery.errors, *errors, *troubles)
    sources = Sources({file.display: scope.sources.get(file.path, b"") for file in scope.files}, options.comments)
    seen = frozenset() if problems else seen_in_full(scope, unreadable, paths, here, everything=options.whole_project)
    finished = finish(
        (*unreadable, *found),
        sources,
        Policy(hierarchy, {file.display: file.path for file in scope.files}),
        {file.display: _below_root(file.path, root) for file in scope.files if file.reported},
        seen,
    )
    return ScanResult(
        findings=finished.findings,
        errors=problems,
        warnings=discovery.warnings,
        files=len(discovery.files),
        context=len(scope.files) - len(discovery.files),
        silenced=finished.silenced,
        seen_in_full=seen,
        lines=sources.lines_mentioned((*finished.findings, *(entry.finding for entry in finished.silenced))),
    )


def seen_in_full(
    scope: Scope, unreadable: Sequence[Finding], paths: Sequence[str], here: str, *, everything: bool
) -> frozenset[str]:
    """The files, as shown, that were analysed with all that may use them: where a missing finding means something.

    They lie below a folder that was asked for and is no part of a package, or the whole project was analysed.
    """
    given = [absolute(os.path.join(here, path)) for path in paths]
    tops = tuple(
        path.rstrip(os.sep) + os.sep
        for path in given
        if os.path.isdir(path) and not os.path.exists(os.path.join(os.path.dirname(path), "__init__.py"))
    )
    seen = {file.display for file in scope.files if everything or file.path.startswith(tops)}
    return frozenset(seen - {finding.path for finding in unreadable})


def find_files(
    paths: Sequence[str], options: ScanOptions, hierarchy: Hierarchy, here: str
) -> tuple[Discovery, tuple[str, ...]]:
    """The files to report on, and those to analyse with them whether or not these import them."""
    base = hierarchy.base.settings
    how = WalkOptions(
        Excluding(hierarchy, Patterns(here, options.extra_excludes)),
        base.force_exclude,
        base.respect_gitignore,
        options.unsaved,
    )
    discovery = discover(paths, here, how)
    if not options.whole_project or not discovery.files:
        return discovery, ()
    return discovery, discover([str(root_of(paths, here))], here, how).files


def root_of(paths: Sequence[str], cwd: str) -> Path:
    """The project that `paths` lie in: the closest folder with a project file above all of them."""
    return project_root(common_folder(paths, cwd))


def common_folder(paths: Sequence[str], cwd: str) -> Path:
    """The innermost folder that holds all of `paths` (relative ones below `cwd`)."""
    folders = [absolute(os.path.join(cwd, path)) for path in paths] or [cwd]
    folders = [folder if os.path.isdir(folder) else os.path.dirname(folder) for folder in folders]
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # two drives
        return Path(cwd)


def _below_root(path: str, root: str) -> str:
    return printable(Path(os.path.relpath(path, root)).as_posix())


def _summarize(
    scope: Scope, options: ScanOptions
) -> tuple[list[tuple[SourceFile, ModuleSummary]], list[Finding], list[Problem]]:
    """The summaries of the files that matter, an RL900 for each reported file that cannot be read, and errors."""
    readable = [
        file for file in scope.files if file.path in scope.sources and (file.reported or file.path in scope.relevant)
    ]
    requests = [Request(file.display, scope.sources[file.path], file.path not in scope.relevant) for file in readable]
    findings = [
        unreadable_finding(file.display, f"cannot be read: {scope.unreadable[file.path]}")
        for file in scope.files
        if file.path in scope.unreadable
    ]
    try:
        replies = summarize_all(requests, options.jobs)
    except WorkerError as error:
        return [], findings, [Problem("internal", str(error))]
    summaries: list[tuple[SourceFile, ModuleSummary]] = []
    errors: list[Problem] = []
    for file, reply in zip(readable, replies, strict=True):
        _sort_reply(file, reply, summaries, findings, errors)
    return summaries, findings, errors


def _sort_reply(
    file: SourceFile,
    reply: Reply,
    summaries: list[tuple[SourceFile, ModuleSummary]],
    findings: list[Finding],
    errors: list[Problem],
) -> None:
    """Put one answer where it belongs."""
    if reply.unreadable is not None:
        findings.append(unreadable_finding(file.display, *reply.unreadable))
    elif reply.failure:
        errors.append(Problem("internal", f"could not be analysed: {reply.failure}", file.display))
    elif reply.summary:
        summaries.append((file, msgspec.msgpack.decode(reply.summary, type=ModuleSummary)))


def _check(
    scope: Scope, summaries: Sequence[tuple[SourceFile, ModuleSummary]], rules: Iterable[Rule], settings: Settings
) -> tuple[list[Finding], list[Problem]]:
    """What the rules say of the linked program. A rule that fails is an error; the others still speak."""
    findings: list[Finding] = []
    errors: list[Problem] = []
    with collector_paused():
        try:
            program = call_with_deep_stack(partial(link, summaries, settings))
        except Exception as error:
            return [], [Problem("internal", f"linking failed: {describe(error)}")]
        for rule in rules:
            try:
                findings.extend(call_with_deep_stack(partial(_said, rule, program)))
            except Exception as error:
                errors.append(Problem("internal", f"{rule.code} failed: {describe(error)}"))
    return findings, errors


def _said(rule: Rule, program: Program) -> list[Finding]:
    return list(rule.check(program))
