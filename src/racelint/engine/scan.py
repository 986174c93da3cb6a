"""One scan from paths to findings: the pipeline's order, and nothing of what its steps do."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from racelint.config.hierarchy import Hierarchy, Scoped
from racelint.config.load import project_root
from racelint.config.settings import Settings
from racelint.engine.analysis import Analysis
from racelint.engine.cache import Cache
from racelint.engine.discover import Discovery, WalkOptions, discover
from racelint.engine.findings import Sources, finish
from racelint.engine.ignoring import Patterns
from racelint.engine.paths import absolute, printable
from racelint.engine.policy import Excluding, Policy
from racelint.engine.progress import Progress
from racelint.engine.scope import Scope, gather
from racelint.engine.selection import Selection
from racelint.model.finding import Finding
from racelint.model.result import Problem, ScanResult
from racelint.model.source import SourceFile

if TYPE_CHECKING:  # what a scan that meets nothing new never imports
    from racelint.model.summary import ModuleSummary


class ScanOptions(msgspec.Struct, frozen=True):
    """How to scan: `jobs` None means as many processes as pay, `scheduler` is the address of a Dask cluster's.

    `settings` hold everywhere, unless `hierarchy` says what holds where. With `whole_project`, all files of the project
    are analysed with those asked for, so that a thread that another file starts counts; else only what they import.
    `comments` says whether those that silence findings count. Without `prescan`, files that cannot matter are analysed
    all the same. `unsaved` is the text of files (by absolute path) that counts instead of what the disk holds. `cache`
    is the folder (relative to the project's) to remember in what was worked out; None remembers nothing there. What
    scans of this process have worked out is in `kept`, for all that are given the same. `progress` is told how far the
    scan has come.
    """

    settings: Settings = Settings()
    jobs: int | None = None
    scheduler: str = ""
    prescan: bool = True
    hierarchy: Hierarchy | None = None
    extra_excludes: tuple[str, ...] = ()
    whole_project: bool = False
    comments: bool = True
    unsaved: dict[str, bytes] = {}
    cache: str | None = None
    kept: dict[bytes, bytes] | None = None
    progress: Progress | None = None


class Scanned(msgspec.Struct, frozen=True):
    """A result with what it was made from: what a fix needs."""

    result: ScanResult
    scope: Scope
    settings: Settings
    analysis: Analysis

    @property
    def summaries(self) -> Sequence[tuple[SourceFile, ModuleSummary]]:
        return self.analysis.modules()


def scan(paths: Sequence[str], options: ScanOptions, cwd: str | None = None) -> ScanResult:
    """Scan `paths` (relative ones below `cwd`). Raises ConfigError.

    Whatever goes wrong with one path, file or rule is a finding or an error of the result; the rest is still scanned.
    """
    return scanned(paths, options, cwd).result


def scanned(paths: Sequence[str], options: ScanOptions, cwd: str | None = None) -> Scanned:
    """As `scan`, with what the result was made from. What is asked of that is in `kept`, or worked out again."""
    here = absolute(cwd or os.getcwd())
    root = root_of(paths, here)
    hierarchy = options.hierarchy or Hierarchy(Scoped(options.settings, here))
    discovery, context = find_files(paths, options, hierarchy, here)
    folders = sorted({os.path.dirname(path) for path in discovery.files})
    settings = hierarchy.combined(folders)
    cache = Cache(os.path.join(root, options.cache) if options.cache is not None else None, options.kept)
    scope = gather(
        *(discovery.files, root, here, settings.declared_names, context, options.unsaved),
        prescan=options.prescan,
        cache=cache,
    )
    selection = Selection(scoped.settings for scoped in map(hierarchy.of, folders))
    analysis = Analysis(scope, settings, selection, cache, options.jobs, options.scheduler)
    said = analysis.run(options.progress or Progress())
    cache.close()
    problems = (*discovery.errors, *said.problems)
    speaking = {file.display for file in scope.files if options.comments and file.path in scope.speaking}
    sources = Sources({file.display: scope.sources.get(file.path, b"") for file in scope.files}, speaking)
    everything = options.whole_project
    seen = frozenset() if problems else seen_in_full(scope, said.unreadable, paths, here, everything=everything)
    finished = finish(
        (*said.unreadable, *said.findings),
        sources,
        Policy(hierarchy, {file.display: file.path for file in scope.files}, selection.everywhere(said.findings)),
        {file.display: _below_root(file.path, root) for file in scope.files if file.reported},
        seen,
    )
    result = ScanResult(
        findings=finished.findings,
        errors=problems,
        warnings=(*discovery.warnings, *(Problem("cache", text) for text in (cache.complaint,) if text)),
        files=len(discovery.files),
        context=len(scope.files) - len(discovery.files),
        silenced=finished.silenced,
        seen_in_full=seen,
        lines=sources.lines_mentioned((*finished.findings, *(entry.finding for entry in finished.silenced))),
    )
    return Scanned(result, scope, settings, analysis)


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
    return discovery, discover([root_of(paths, here)], here, how).files


def root_of(paths: Sequence[str], cwd: str) -> str:
    """The project that `paths` lie in: the closest folder with a project file above all of them."""
    return project_root(common_folder(paths, cwd))


def common_folder(paths: Sequence[str], cwd: str) -> str:
    """The innermost folder that holds all of `paths` (relative ones below `cwd`)."""
    folders = [absolute(os.path.join(cwd, path)) for path in paths] or [cwd]
    folders = [folder if os.path.isdir(folder) else os.path.dirname(folder) for folder in folders]
    try:
        return os.path.commonpath(folders)
    except ValueError:  # two drives
        return cwd


def _below_root(path: str, root: str) -> str:
    below = path.removeprefix(root.rstrip(os.sep) + os.sep)
    return printable((below if below != path else os.path.relpath(path, root)).replace(os.sep, "/"))
