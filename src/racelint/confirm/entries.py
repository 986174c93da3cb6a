"""The user's own programs, run as they stand: scripts, tests, and calls of `racelint.explore` in either."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from racelint.confirm.errors import CannotRun
from racelint.confirm.exploration import Exploration, Tried
from racelint.confirm.fixtures import Fixtures
from racelint.confirm.interpreter import find_interpreter
from racelint.confirm.programs import script_starts
from racelint.confirm.project import Project
from racelint.confirm.runner import run_job
from racelint.confirm.scenes import INSTRUMENTED_FILES, Stage
from racelint.confirm.settings import Limits
from racelint.confirm.synthesis import open_module
from racelint.confirm.verdict import cannot, verdict_of
from racelint.model.finding import Verdict
from racelint.model.scenario import Job, Operation, Scenario, ScenarioKind

REAL_PROCESSES = (
    "the test starts processes, which would run for real and in one order only: "
    "`racelint.explore(processes=[...])` in it schedules what they do"
)


@dataclass(frozen=True)
class Program:
    """A script with its `arguments`, or the `test` of a file (a pytest node id without the path).

    `call` is the number of the call of `racelint.explore` in it that says what to run, 0 where it starts its own
    threads; `processes`: it runs functions in processes. `files` get yield points beside those that `path` imports.
    """

    path: Path
    test: str = ""
    call: int = 0
    arguments: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    processes: bool = False

    def target(self, root: Path) -> str:
        """What the program is called: a path, `::`, and what is run of it."""
        path = self.path.relative_to(root) if self.path.is_relative_to(root) else self.path
        test = f"::{self.test}" if self.test else ""
        call = f"::explore@{self.call}" if self.call else ""
        return f"{path.as_posix()}{test}{call}"


def confirm_program(program: Program, limits: Limits, root: Path) -> Verdict:
    """Explore the program under control. Raises CannotRun where there is nothing to run it with, or on."""
    root = root.resolve()
    if not program.path.is_file():
        raise CannotRun(f"there is no file {program.path}")
    interpreter = find_interpreter(limits.python or "", root)
    if limits.invariant and program.test:
        raise CannotRun(f"{program.target(root)}: a test says itself what must hold, so it takes no --invariant")
    scenario = msgspec.structs.replace(scenario_of(program, root), invariant=limits.invariant)
    if program.test and not program.call and _has_only_processes(program, root):
        return cannot("unsupported", REAL_PROCESSES)
    answer = run_job(Job(scenario, limits.of_search(limits.alone)), interpreter)
    exploration = Exploration(interpreter, limits, limits.alone, [Tried(scenario, answer)])
    return verdict_of(exploration, [], program.target(root), root)


def _has_only_processes(program: Program, root: Path) -> bool:
    """Whether the test starts processes and no threads, as far as its own file tells."""
    stage = Stage(Project(root), Fixtures(), open_module(Project(root), program.path))
    function = stage.module.functions.get(program.test.partition("[")[0].replace("::", "."))
    if function is None:
        return False
    footprint = stage.footprints.of(function, stage.module.classes.get(function.owner))
    return footprint.starts_processes and not footprint.starts_threads


def scenario_of(program: Program, root: Path) -> Scenario:
    """The scenario that runs the program. Raises CannotRun for a file that cannot be read."""
    project = Project(root)
    stage = Stage(project, Fixtures(), open_module(project, program.path))
    files = dict.fromkeys([*stage.instrument, *(str(path) for path in program.files)])
    layout = project.layout(program.path)
    name = program.test or program.path.name
    return Scenario(
        kind=_kind_of(stage, program),
        module=layout.module,
        path=str(program.path),
        sys_path=layout.sys_path,
        setup=f"import sys\nsys.argv[1:] = {list(program.arguments)!r}" if program.arguments else "",
        operations=(Operation(name, "" if program.test else "run_target()"),),
        instrument=tuple(files)[: INSTRUMENTED_FILES + len(program.files)],
        test=program.test,
        call=program.call,
    )


def _kind_of(stage: Stage, program: Program) -> ScenarioKind:
    """Scripts that start real processes are run with real ones; a test does so in the process of pytest."""
    if program.call:
        return "processes" if program.processes else "threads"
    if program.test or script_starts(stage) or not script_starts(stage, processes=True):
        return "program"
    return "processes"
