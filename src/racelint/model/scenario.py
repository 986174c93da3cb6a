"""What the harness runs and what it answers: the plain data between `confirm` and the `agent`.

The agent imports nothing of racelint, so it sees these structures as JSON objects with the same field names.
Source fragments are Python text: they make a scenario readable, replayable and easy to emit as a test.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from racelint.model.finding import Effect, Possibility, Status, Witness

ScenarioKind = Literal["threads", "program", "processes", "cost"]


class Site(msgspec.Struct, frozen=True):
    """A place in the source: absolute path and 1-based line; `column` 0 means the whole line."""

    path: str
    line: int
    column: int = 0


class Operation(msgspec.Struct, frozen=True):
    """What one thread does: Python statements over the names that the set-up bound."""

    label: str
    source: str


class Scenario(msgspec.Struct, frozen=True):
    """A set-up, the operations of each thread, what is done after they ended, and what to look at.

    `threads`: every operation runs on a thread of its own, under control.
    `program`: `operations` holds one entry that starts its own threads (a function or a script).
    `processes`: as `program`, and what it starts are real processes (RL601, RL602).
    `cost`: the operation is measured, not explored (RL401, RL402).
    `module` is imported first, from `path` with `sys_path` in front, and bound to the name `target` for every fragment.
    """

    kind: ScenarioKind
    module: str
    path: str
    sys_path: tuple[str, ...]
    setup: str
    operations: tuple[Operation, ...]
    before: str = ""
    """Statements that run before the module is imported, such as the user's fixtures."""
    after: str = ""
    observe: tuple[str, ...] = ()
    """Expressions whose snapshots make up the state that the oracle compares."""
    invariant: str = ""
    instrument: tuple[str, ...] = ()
    """Absolute paths of the source files that get yield points; `path` always does."""
    flagged: tuple[Site, ...] = ()
    """The accesses of the finding: where directed windows are tried first."""
    test: str = ""
    """The rest of a pytest node id after `path::`: the program is that test, run by pytest with its fixtures."""
    call: int = 0
    """Which call of `racelint.explore` in the script or test makes the threads, from 1; 0 where none does."""
    stalls: str = ""
    """A call that never returns, as `function:callee` with the function's qualified name; empty for none."""
    must_end: bool = False
    """All that is asked is whether the operations end: threads that they started may run on."""
    code: str = ""
    """The rule that asked, empty where the user did: hangs and costs are judged by it."""


class Budget(msgspec.Struct, frozen=True):
    """Where the search stops. Seconds are wall time for the whole scenario, bytes for the child's address space."""

    seconds: float = 10.0
    schedules: int = 20_000
    steps: int = 20_000
    memory: int = 2 * 1024**3
    bound: int = 4
    """Preemption bounding goes from 0 to this before the random tail."""
    seed: int = 0
    interpreters: Literal["any", "gil"] = "any"
    """`gil`: what no GIL build of 3.10 or later can show is not reproduced."""


class Switch(msgspec.Struct, frozen=True):
    """Leave the running thread for `to` when it is about to execute `site` for the `visit`-th time (from 1).

    `site` is `file:function:ordinal` with the ordinal of the yield point inside its function, so that a schedule
    means the same on every Python version and survives edits elsewhere in the file.
    """

    thread: int
    site: str
    visit: int
    to: int


class Schedule(msgspec.Struct, frozen=True):
    """The context switches that make a run repeatable; threads are numbered in the order of their creation."""

    first: int = 0
    switches: tuple[Switch, ...] = ()


class Job(msgspec.Struct, frozen=True):
    """One request to the agent; `schedule` asks for a replay instead of a search.

    With `probe` the serial orders of those scenarios are run and nothing is searched; `scenario` is the first of them.
    `fresh` has the project's modules imported anew for every execution: slow, and no state is handed on.
    """

    scenario: Scenario
    budget: Budget
    schedule: Schedule | None = None
    protocol: int = 1
    fresh: bool = False
    probe: tuple[Scenario, ...] = ()


class Probe(msgspec.Struct, frozen=True):
    """What the serial orders of one scenario showed, without any search.

    `failure` says why it cannot be run at all. `raised` holds what operations raise in every order, `unfit`
    what they raise as the first to run that only an object or argument of the wrong kind explains. `reached` counts
    the finding's lines that were executed, `flagged_conflicts` and `conflicts` the places of conflicting accesses.
    `hangs`: some order does not end.
    """

    failure: str = ""
    raised: dict[str, str] = {}
    unfit: dict[str, str] = {}
    reached: int = 0
    flagged_conflicts: int = 0
    conflicts: int = 0
    hangs: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What the agent says of one job, written as JSON to the file it was given."""

    status: Status
    effect: Effect | None = None
    schedule: Schedule | None = None
    schedules_run: int = 0
    bound_exhausted: int = -1
    """The largest preemption bound that was searched completely; -1 for none."""
    seconds: float = 0.0
    interpreters: dict[str, Possibility] = {}
    outcome: str | None = None
    expected: tuple[str, ...] = ()
    reason: str = ""
    witness: Witness | None = None
    reached: bool = True
    """Whether the schedule comes to a line of the finding: what goes wrong without is another matter."""
    out_of_control: tuple[str, ...] = ()
    """What ran without yield points, named for a `not-reproduced`."""
    leaks: tuple[str, ...] = ()
    """Types of module state that one execution handed on to the next: a `confirmed` is to be shown again without."""
    probes: tuple[Probe, ...] = ()
    """For a job that asked for them; those that there was no time for are left out at the end."""
    python: str = ""
    """Version of the interpreter that ran it, e.g. `3.11.7` or `3.13.1t`."""
