"""From a finding to the scenarios that could prove it, from its source alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from racelint.confirm.errors import CannotRun
from racelint.confirm.fixtures import Fixtures
from racelint.confirm.outline import FunctionOutline, ModuleOutline
from racelint.confirm.project import Project
from racelint.confirm.recipes import Attempt, recipe_for
from racelint.confirm.scenes import Stage
from racelint.model.finding import Finding, Step
from racelint.model.scenario import Site


def stage_for(finding: Finding, project: Project, fixtures: Fixtures, cwd: Path) -> Stage:
    """Where the finding's scenarios play. Raises CannotRun where its file cannot be read."""
    path = located(finding.path, cwd, project.root)
    flagged = tuple(
        Site(str(located(step.path, cwd, project.root)), step.line, step.column) for step in _accesses(finding)
    )
    return Stage(project, fixtures, open_module(project, path), finding.code, flagged)


def attempts_for(finding: Finding, stage: Stage, cwd: Path) -> Iterator[Attempt]:
    """The scenarios to try, the likeliest first, each built when it is asked for."""
    return recipe_for(finding.code)(stage, functions_of(finding, stage, cwd))


def functions_of(finding: Finding, stage: Stage, cwd: Path) -> list[FunctionOutline]:
    """The functions of the stage's module that hold the accesses, the flagged one first."""
    found: dict[str, FunctionOutline] = {}
    places = [(finding.path, finding.line), *((step.path, step.line) for step in _accesses(finding))]
    for path, line in places:
        if located(path, cwd, stage.project.root) == stage.module.path:
            function = stage.module.enclosing(line)
            if function is not None:
                found.setdefault(function.qualname, function)
    return list(found.values())


def open_module(project: Project, path: Path) -> ModuleOutline:
    """The outline of a target file. Raises CannotRun with a sentence for one that cannot be read."""
    try:
        return project.module(path)
    except OSError as error:
        raise CannotRun(f"{path}: {error.strerror or error}") from None
    except SyntaxError as error:
        raise CannotRun(f"{path}:{error.lineno}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise CannotRun(f"{path}: {error}") from None


def located(path: str, cwd: Path, root: Path) -> Path:
    """The file that a finding's path means: it is relative to the working directory, else to the project."""
    first = (cwd / path).resolve()
    return first if first.exists() else (root / path).resolve()


def _accesses(finding: Finding) -> list[Step]:
    own = Step("access", finding.message, finding.path, finding.line, finding.column)
    # A cycle of locks shows in where they are taken; everything else in the accesses.
    roles = ("lock", "access", "conflict") if finding.code == "RL204" else ("access", "conflict")
    steps = [step for step in finding.trace if step.role in roles]
    return [own, *(step for step in steps if (step.path, step.line) != (own.path, own.line))]
