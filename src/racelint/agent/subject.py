"""The scenario as something that can be executed again and again under one policy or another."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH100
import ast
import gc
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from .capture import Capture
from .control import Control
from .drawn import drawn
from .fake_thread import Sentinel
from .forked import BECOME_CHILD
from .instrument import OPERATORS, instrument
from .known import Known
from .leftovers import OpenFiles, left_behind
from .loader import InstrumentingFinder, shadow
from .observed import ModuleView, Parts, bound_names, variables_of
from .other_schedulers import patched
from .outcome import Outcome
from .policies import Settling, settle
from .shim import run_exit_handlers
from .snapshot import Snapshot, Tree
from .stand_in import StandIn, concrete
from .tasks import BLOCKED, DONE, READY, Abort, Policy, Task, waits_on
from .told import EndOf, helpers_of

BETWEEN = "_rl_between"
"""Called between two operations of one thread."""

YOUNG, OLD = 512, 16_384
"""Executions between two collections of recent garbage, and of all."""


class SubjectError(Exception):
    """The scenario cannot be run at all; the text says why, for people."""


class Subject:
    """Loads the target and runs its scenario; one instance for all the executions of a job.

    `is_own`: the scenario is the user's own, so what goes wrong in every order is wrong, too. `compares`: an outcome
    that no serial order gives is wrong. `must_end`: all that counts is that its operations end. `invariant` is the
    text of the user's expression, `unanswered` what it raised when it was last asked in vain.
    """

    is_own = False
    compares = True

    def __init__(self, scenario: dict[str, Any], control: Control, finder: InstrumentingFinder) -> None:
        self.scenario = scenario
        self.control = control
        self.finder = finder
        self.capture = Capture(lambda: control.current.index == 0)  # what the first thread prints is its result
        self.is_program = scenario["kind"] == "program"
        self.labels = [operation["label"] for operation in scenario["operations"]]
        self.must_end = bool(scenario.get("must_end"))
        self.is_script = any("run_target" in operation["source"] for operation in scenario["operations"])
        before = scenario.get("before") or ""
        self._before = compile(before, "<fixtures>", "exec") if before else None
        self._setup = compile(scenario["setup"], "<setup>", "exec")
        self._after = compile(scenario.get("after") or "", "<after>", "exec")
        self._observe = [(text, compile(text, "<observe>", "eval")) for text in scenario.get("observe") or ()]
        self.invariant = scenario.get("invariant") or ""
        self._invariant = compile(self.invariant, "<invariant>", "eval") if self.invariant else None
        self.has_invariant = bool(self.invariant)
        self.unanswered = ""
        self.files = OpenFiles()
        self.files.install(finder.identities.builtins)
        finder.stalls = scenario.get("stalls") or ""
        finder.compile(finder.paths[0])
        self._operations: dict[bool, list[Any]] = {}
        self._counts: dict[int, int] = {}
        self.trace(True)
        self.trace(False)
        self._views: dict[str, ModuleView] = {}
        self._running: list[Task] = []
        self._wreck: Outcome | None = None
        names: dict[str, Any] = {"__name__": "racelint_scenario", "__builtins__": __builtins__}
        names.update(
            run_target=self._run_target, stand_in=StandIn, concrete=concrete, drawn=drawn, variables_of=variables_of
        )
        names["run_task"] = control.run_task
        if control.forked is not None:
            names[BECOME_CHILD] = control.forked.become_child
        names[BETWEEN] = control.between
        if self.must_end:
            names.update(helpers_of(control))
        names.update(without_network=self._without_network)
        self._template = names if self.is_program else {**names, **OPERATORS}
        self._helpers: dict[str, Any] | None = None
        self._fixed = 0
        self._is_reused = False
        self._codes: list[Any] = []
        self._threads: list[Callable[[], Any]] = []
        control.on_stuck = self._look_at_wreck
        # Only the rule about waits, and a user with no rule in mind, want to know of tests that still hold.
        self._asks_waiters = (scenario.get("code") or "") in ("", "RL301")
        self.executions = 0
        self._module: types.ModuleType | None = None
        self._keeps = False
        self._fresh_always = False
        self.namespace: dict[str, Any] = {}

    def trace(self, traced: bool) -> None:
        """From now on execute the traced copies, or the fast ones."""
        self.finder.traced = traced
        if False not in self._operations:
            self._operations[False] = self._compile_all(False)
        if traced not in self._operations:
            self._operations[traced] = self._compile_all(traced)

    def _compile_all(self, traced: bool) -> list[Any]:
        return [self._compile(index, op, traced) for index, op in enumerate(self.scenario["operations"])]

    def _compile(self, index: int, operation: dict[str, Any], traced: bool) -> Any:
        """The operation as the code of a function that returns the value of its last expression."""
        tree = ast.parse(operation["source"] or "pass")
        last = tree.body[-1]
        if isinstance(last, ast.Expr):
            tree.body[-1] = ast.copy_location(ast.Return(last.value), last)
        if not self.is_program:
            self._counts[index] = len(tree.body)
            for place in range(len(tree.body) - 1, 0, -1):
                tree.body[place:place] = ast.parse(f"{BETWEEN}()").body
        wrapper = ast.parse("def operation():\n    pass")
        function: Any = wrapper.body[0]
        function.body = tree.body
        source = ast.unparse(ast.fix_missing_locations(wrapper))
        table = shadow(self.finder.table) if traced else self.finder.table
        module = instrument(source, f"<operation {index + 1}>", f"<{index + 1}>", table, traced)
        return next(part for part in module.co_consts if isinstance(part, types.CodeType))

    def operations_of(self, threads: int) -> list[int]:
        """How many operations each of so many threads has: a statement of the scenario is one."""
        return [self._counts.get(index, 1) for index in range(threads)]

    # One execution

    def execute(self, policy: Policy, helpers: dict[str, Any], known: Known | None = None) -> Outcome:
        """Run the scenario once. An execution whose happens-before order is `known` is not looked at again."""
        control, finder = self.control, self.finder
        control.begin()
        control.policy = policy
        if self.capture.used:
            self.capture.reset()
        if self.files.opened:
            self.files.forget()
        if helpers is not finder.helpers:
            finder.use(helpers)
        self._keeps = finder.reset()
        if control.forked is not None and not self._keeps:
            control.forked.forget()
        self._wreck = None
        try:
            try:
                self._bind(helpers)
            except Abort:
                raise SubjectError(f"the set-up cannot go on ({control.stuck})") from None
            except BaseException as error:
                raise SubjectError(patched() or f"the set-up failed: {type(error).__name__}: {error}") from error
            if not self.executions and patched():
                raise SubjectError(patched())
            self._start(helpers)
            return self._run(known)
        finally:
            if control.alive or control.stuck:
                control.end()
            self.executions = executions = self.executions + 1
            if executions == 1:
                # What is there by now stays: later collections need not look at it.
                gc.freeze()
            elif not executions % YOUNG:
                gc.collect(0 if executions % OLD else 2)

    def _bind(self, helpers: dict[str, Any]) -> None:
        """Give the names of the set-up to a namespace that has no others."""
        is_new = self._helpers is not helpers or not self._is_reused
        if is_new:
            if not self.is_program:
                self._helpers = helpers
                self._template.update(helpers)
            self.namespace = namespace = dict(self._template)
            self._fixed = len(namespace)
            self._threads = []
        else:
            namespace = self.namespace
            while len(namespace) > self._fixed:
                namespace.popitem()
        if self._before is not None:
            exec(self._before, namespace)
        if not self.is_script:
            kept = self._module if self._keeps else None
            namespace["target"] = kept or (self._load() if self.is_program else self._load_aside())
        exec(self._setup, namespace)
        if is_new:
            # Names can be taken back only if they came last and stand for nothing that was there before.
            self._is_reused = not self.is_program and all(
                namespace.get(name) is value for name, value in self._template.items()
            )

    def _load_aside(self) -> types.ModuleType:
        """The module; threads that its import starts are none of the scenario's: each runs, and no choice is made."""
        control = self.control
        steering, control.policy = control.policy, Settling()
        try:
            return self._load()
        finally:
            control.policy = steering
            control.changed()

    def _load(self) -> types.ModuleType:
        module = self.finder.load(self.scenario["module"], self.scenario["path"])
        # The first execution shows what else is imported; a module that starts threads must do so every time.
        if self.executions and not self._fresh_always and not self.control.tasks:
            self._fresh_always = not self.finder.keep()
        self._module = module
        if self.control.forked is not None:
            self.control.forked.is_imported()
        return module

    def _without_network(self) -> None:
        from .boundary import without_network  # most scenarios need no sockets at all

        without_network(self.control)

    def _run_target(self) -> None:
        names = self.finder.run_script(self.scenario["path"])
        self.namespace["target"] = types.SimpleNamespace(**names)

    def _start(self, helpers: dict[str, Any]) -> None:
        control = self.control
        self._running = tasks = control.spawn_all(self._bodies(helpers), self.labels, False)
        if self.is_program:
            for task in tasks:
                task.ident = control.main.ident  # `threading.main_thread()` for the target

    def _bodies(self, helpers: dict[str, Any]) -> list[Callable[[], Any]]:
        """What each thread does."""
        codes, names = self._operations[self.finder.traced], self.namespace
        if self.is_program:
            names = {**names, **OPERATORS, **helpers}
        elif self._codes is codes and self._threads:
            return self._threads
        self._codes = codes
        self._threads = [types.FunctionType(code, names) for code in codes]
        return self._threads

    def _run(self, known: Known | None) -> Outcome:
        control, operations = self.control, self._running
        try:
            ended = control.await_all(operations)
            if ended and len(control.tasks) > len(operations) and not self.must_end:
                run_exit_handlers()
                ended = control.await_all([task for task in control.tasks if not task.daemon])
                if ended:
                    settle(control)
            if ended:
                if known is None:
                    return self._finish()
                plan = control.policy.plan
                return known.of_plan(plan) or known.outcome(plan, control.events, self._finish)
        except Abort:
            pass
        return self._look_at_wreck()

    def _finish(self) -> Outcome:
        exec(self._after, self.namespace)
        return self._outcome()

    def _look_at_wreck(self) -> Outcome:
        """Nothing can go on: what there is to see before the threads are unwound."""
        if self._wreck is None:
            self._wreck = self._outcome()
            self._describe_hang(self._wreck)
        return self._wreck

    # The outcome

    def _outcome(self) -> Outcome:
        control = self.control
        snapshot = Snapshot()
        parts: list[tuple[str, Tree]] = []
        asked: list[tuple[str, Tree]] = []
        raised = set()
        for task in control.tasks:
            if task.error is not None:
                label = task.label if task in self._running else f"thread {task.label}"
                raised.add((task.label, type(task.error).__qualname__))
                parts.append((f"{label} raised", _error(task.error)))
            elif task in self._running:
                kind = "returned" if task.state == DONE else "is blocked"
                parts.append((f"{task.label} {kind}", snapshot.tree(task.result)))
            if task in self._running:
                asked.append(parts[-1])
        results = len(parts)
        if not self.must_end:
            parts.extend(self._state(snapshot))
        outcome = Outcome(tuple(parts), results)
        outcome.asked = tuple(asked)
        outcome.raised = frozenset(raised)
        outcome.refused = control.refused
        beside = [task for task in control.tasks if task not in self._running]
        outcome.unsettled = any(_can_go_on(task) for task in beside)
        outcome.beside = any(self._is_beside(task) for task in beside)
        outcome.started = len(control.tasks) - len(self._running)
        if not control.stuck:
            outcome.left = left_behind(self.files, control.tasks, self._running, snapshot)
        if self._asks_waiters and control.stale:
            outcome.stale = tuple(sorted({self.finder.table[site].text for site in control.stale}))
        if self.has_invariant and not control.stuck:
            outcome.invariant = self._holds()
        return outcome

    def _is_beside(self, task: Task) -> bool:
        """Whether no operation stands for the thread: the set-up started it, or nobody waits for its end."""
        is_of_setup = len(task.origin) == 1
        return is_of_setup or (task.joiner not in self._running and (task.daemon or not self.is_program))

    def _holds(self) -> bool:
        """Ask the invariant: it sees the names of the module, of the set-up, and `results`, one for each operation."""
        assert self._invariant is not None
        names = {**vars(self.namespace["target"]), **self.namespace, "results": [t.result for t in self._running]}
        try:
            return bool(eval(self._invariant, names))
        except Exception as error:
            self.unanswered = f"{type(error).__name__}: {error}"
            return False

    def _state(self, snapshot: Snapshot) -> Parts:
        parts: Parts = []
        for text, code in self._observe:
            try:
                tree = snapshot.tree(eval(code, self.namespace))
            except Exception as error:
                tree = _error(error)
            parts.append((f"{text} =", tree))
        parts.extend(bound_names(list(self.namespace.items())[self._fixed :], snapshot))
        for module in self.finder.live:
            view = self._views.get(module.__name__)
            if view is None or view.module is not module:
                view = self._views[module.__name__] = ModuleView(module)
            parts.extend(view.parts(snapshot))
        if self.is_program and self.capture.lines:
            printed = tuple(snapshot.tree(line) for line in self.capture.lines)
            parts.append(("the main thread printed", ("list", 0, printed, len(printed))))
        return parts

    def _describe_hang(self, outcome: Outcome) -> None:
        control = self.control
        outcome.hang = control.stuck or "blocked"
        if self.must_end and all(task.state == BLOCKED and task.deadline is None for task in self._running):
            outcome.hang = "blocked"  # whoever they wait for has had all the time
        waiting = [task for task in control.tasks if task.state != DONE and not task.daemon]
        outcome.blocked = tuple(task.label for task in waiting)
        spoken = []
        for task in waiting:
            owner = task.lock.owner if task.lock is not None else None
            told = task.lock.text if isinstance(task.lock, EndOf) else task.stalled
            where = told or (self.finder.table[task.last_site].text if task.last_site else "its start")
            by = f", held by {owner.label}" if owner is not None and owner is not task and owner.index >= 0 else ""
            spoken.append(f"{task.label} waits in {where}{by}")
        outcome.waiting = tuple(spoken)
        outcome.cycle = any(_in_cycle(task) for task in waiting)
        started = control.stuck == "spins" or all(task.state == DONE for task in self._running)
        outcome.serves = started and not self.is_script and not any(_is_kept_out(task) for task in waiting)


def _can_go_on(task: Task) -> bool:
    """Whether the thread does more with the time: it is ready, or what it waits for has an end."""
    return task.state == READY or (task.state == BLOCKED and task.deadline is not None)


def _in_cycle(task: Task) -> bool:
    """Whether the thread waits, through owners of locks, for itself or for a circle of others."""
    chain = list(waits_on(task))
    return chain[-1] in chain[:-1]


def _is_kept_out(task: Task) -> bool:
    """Whether the thread waits, in the end, for a lock that somebody holds and may never give back."""
    locks = [one.lock for one in waits_on(task) if one.lock is not None and one.lock.owner is not one]
    return any(lock.owner is not None and type(lock) is not Sentinel for lock in locks)


def _error(error: BaseException) -> Tree:
    return ("object", 0, type(error).__qualname__, (("text", Snapshot().tree(str(error)[:200])),))


def search_path(scenario: dict[str, Any]) -> None:
    """Put the scenario's import roots first, as the target expects them."""
    for root in reversed(scenario["sys_path"]):
        if root not in sys.path:
            sys.path.insert(0, os.path.abspath(root))
