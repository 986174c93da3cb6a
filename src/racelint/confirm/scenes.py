"""Puts a scenario together: set-up, operations, which files get yield points.

What to observe is left to the agent: it looks at every name of the set-up, every global and every class variable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec

from racelint.confirm.builder import Builder
from racelint.confirm.combinations import Combination
from racelint.confirm.errors import CannotBuild, NotApplicable
from racelint.confirm.fixtures import Fixtures
from racelint.confirm.footprint import Footprints
from racelint.confirm.frameworks import HANDLERS
from racelint.confirm.held import as_called
from racelint.confirm.operations import CLOSURE, Call, Entry, call_of
from racelint.confirm.outline import ClassOutline, ModuleOutline
from racelint.confirm.project import Project
from racelint.confirm.values import Guesses
from racelint.model.scenario import Operation, Scenario, ScenarioKind, Site

INSTRUMENTED_FILES = 40
"""Project files that get yield points, the nearest imports first."""

BEFOREHAND = "# beforehand: "
"""Begins the comment in a set-up that names the operation run before the threads start."""

ON_A_LOOP = frozenset({"RL701", "RL702"})
"""Rules about what tasks of one event loop do to each other."""

SMALL = re.compile(r"(?<=[\[(=, ])[12](?=[\]),]|$)", re.MULTILINE)
LARGE = "1000000"


@dataclass
class Stage:
    """What all scenarios of one finding or target share."""

    project: Project
    fixtures: Fixtures
    module: ModuleOutline
    code: str = ""
    flagged: tuple[Site, ...] = ()

    def __post_init__(self) -> None:
        self.footprints = Footprints(self.project, self.module)
        self.guesses = Guesses()

    @cached_property
    def instrument(self) -> tuple[str, ...]:
        """The files that get yield points."""
        return tuple(str(path) for path in instrumented(self.project, self.module))

    @property
    def on_a_loop(self) -> bool:
        """Whether the finding is about tasks of one event loop: all operations run on it."""
        return self.code in ON_A_LOOP

    def starts_threads(self, entry: Entry) -> bool:
        """Whether the entry starts threads of its own, or tasks: it is run alone, not against itself."""
        footprint = self.footprints.of(entry.function, entry.cls)
        tasks = footprint.starts_tasks and (self.on_a_loop or entry.function.is_async)
        return footprint.starts_threads or tasks

    def repeats(self, entry: Entry) -> bool:
        """Whether two threads may run the entry on one object; a Thread's `run` has but one thread.

        A coroutine that starts tasks has other callers on its loop all the same.
        """
        on_its_loop = self.on_a_loop and entry.function.is_async
        return not self.is_run_of_thread(entry) and (on_its_loop or not self.starts_threads(entry))

    def called_again(self, entry: Entry) -> bool:
        """Whether it is a method that starts threads which may be under way when it is called once more."""
        starts = self.footprints.of(entry.function, entry.cls).starts_threads
        return starts and entry.cls is not None and not entry.makes_object and not self.is_run_of_thread(entry)

    def is_run_of_thread(self, entry: Entry) -> bool:
        """Whether it is what a thread runs whose class it is a method of: it is started with `start`, and once."""
        is_run = entry.function.name == "run"
        return is_run and entry.cls is not None and self.project.is_thread_class(entry.module, entry.cls)

    def builder(self) -> Builder:
        """A fresh set-up for the module."""
        return Builder(self.project, self.module, self.fixtures, self.guesses)

    def scenario(
        self,
        kind: ScenarioKind,
        setup: str,
        operations: Sequence[Operation],
        observe: Sequence[str] = (),
    ) -> Scenario:
        """A scenario on this stage's module."""
        layout = self.project.layout(self.module.path)
        return Scenario(
            kind=kind,
            module=layout.module,
            path=str(self.module.path),
            sys_path=layout.sys_path,
            setup="\n".join(filter(None, [setup, self.fixtures.setup])),
            before="\n".join([*self.guesses.beforehand, self.fixtures.source.strip()]).strip(),
            operations=tuple(operations),
            observe=tuple(observe),
            invariant=self.fixtures.invariant,
            instrument=self.instrument,
            flagged=self.flagged,
            code=self.code,
        )


def threads_scenario(stage: Stage, combination: Combination) -> Scenario:
    """The combination's entries on one thread each. Raises CannotBuild."""
    combination = on_one_object(stage.project, combination)
    builder = stage.builder()
    calls: dict[Entry, Call] = {}
    entries = list(dict.fromkeys(entry for thread in combination.threads for entry in thread))
    for entry in entries:
        subject = subject_of(builder, entry)
        call = call_of(builder, entry, subject)
        if stage.code:  # of a finding; a target that the user names is called as it is named
            call = replace(call, operation=as_called(stage.project, entry, call.operation, subject))
        calls[entry] = call if entry.function.is_async or not stage.on_a_loop else in_a_task(call)
    if combination.swapped and not any(call.swapped for call in calls.values()):
        raise NotApplicable
    if combination.first is not None:
        builder.statements.extend(_beforehand(stage, builder, combination, combination.first))
        if combination.another:
            calls[combination.first] = _with_a_third(calls[combination.first])
    operations = [_thread(thread, calls, index, combination) for index, thread in enumerate(combination.threads)]
    kind: ScenarioKind = "threads" if len(operations) > 1 else "program"
    observe = [f"variables_of({name})" for name in sorted(builder.names) if name.startswith(CLOSURE)]
    return stage.scenario(kind, builder.setup, operations, observe)


def _beforehand(stage: Stage, builder: Builder, combination: Combination, first: Entry) -> list[str]:
    """The statements that run the entry before the threads start. Raises CannotBuild and NotApplicable."""
    before = call_of(builder, first, subject_of(builder, first)).operation
    source = with_others(builder, apart(before.source)) if stage.code == "RL106" else before.source
    label = before.label if combination.times == 1 else f"{before.label} {combination.times} times"
    if combination.another:
        return [f"{BEFOREHAND}{label} with two values", source, _another(source, "other", 2)]
    return [BEFOREHAND + label, *[source] * combination.times]


def on_one_object(project: Project, combination: Combination) -> Combination:
    """The same with inherited methods called on an object of the subclass, where another entry is one of that."""
    threads = [entry for thread in combination.threads for entry in thread]
    entries = [*threads, *([combination.first] if combination.first is not None else [])]
    derived = {entry: _most_derived(project, entry, entries) for entry in entries}
    first = derived[combination.first] if combination.first is not None else None
    changed = tuple(tuple(derived[entry] for entry in thread) for thread in combination.threads)
    return replace(combination, threads=changed, first=first)


def _most_derived(project: Project, entry: Entry, entries: list[Entry]) -> Entry:
    """The entry as a method of the first subclass among those of the others that inherits it."""
    for other in entries:
        if entry.cls is None or other.cls is None or other.cls is entry.cls or entry.function.kind == "classmethod":
            continue
        bases = [cls for _, cls in project.lineage(other.module, other.cls)]
        inherits = project.find_method(other.module, other.cls, entry.function.name) is entry.function
        if entry.cls in bases and inherits:
            return Entry(other.module, entry.function, other.cls)
    return entry


def apart(source: str, text: str = "other", number: int = 2) -> str:
    """The call with other literals: what is put in under another key makes a container grow."""
    renamed = re.sub(r"(?<=[\[(,= ])'\w+'(?=[\]),])", f"'{text}'", source, count=1)
    return renamed if renamed != source else re.sub(r"(?<=[(,] )1\b|(?<=\()1\b", str(number), source)


def _another(source: str, text: str, number: int) -> str:
    """The same. Raises NotApplicable without a literal to exchange."""
    changed = apart(source, text, number)
    if changed == source:
        raise NotApplicable
    return changed


def _with_a_third(call: Call) -> Call:
    """The call with a literal that neither of two before it had. Raises NotApplicable without one."""
    operation = call.operation
    return Call(Operation(operation.label, _another(operation.source, "third", 3)))


def with_others(builder: Builder, source: str) -> str:
    """The call with objects of its own in place of the arguments that the threads share."""
    for statement in list(builder.statements):
        name, _, expression = statement.partition(" = ")
        if name.startswith("arg_") and re.search(rf"\b{name}\b", source):
            source = re.sub(rf"\b{name}\b", builder.bind(f"other_{name}", expression), source)
    return source


def with_large_numbers(scenario: Scenario) -> Scenario:
    """The same with numbers that make it work for a while, in place of 1 and 2. Raises NotApplicable without any."""
    (operation,) = scenario.operations
    setup, source = (SMALL.sub(LARGE, text) for text in (scenario.setup, operation.source))
    if (setup, source) == (scenario.setup, operation.source):
        raise NotApplicable
    label = f"{operation.label} with {LARGE} for small numbers"
    return msgspec.structs.replace(scenario, setup=setup, operations=(Operation(label, source),))


def in_a_task(call: Call) -> Call:
    """The plain function that is called, called on the event loop."""
    operation = call.operation
    return Call(Operation(operation.label, f"run_task(lambda: {operation.source})"))


def program_scenario(stage: Stage, entry: Entry, kind: ScenarioKind = "program") -> Scenario:
    """The entry alone: it starts its own threads or processes. Raises CannotBuild."""
    builder = stage.builder()
    call = call_of(builder, entry, subject_of(builder, entry))
    return stage.scenario(kind, builder.setup, [call.operation])


def script_scenario(stage: Stage, kind: ScenarioKind = "program") -> Scenario:
    """The file run as `python FILE` would."""
    return stage.scenario(kind, "", [Operation(stage.module.path.name, "run_target()")])


def thread_objects_scenario(stage: Stage, module: ModuleOutline, cls: ClassOutline) -> Scenario:
    """Two objects of a Thread subclass, made alike, started and joined. Raises CannotBuild."""
    builder = stage.builder()
    expression = builder.instance(module, cls)
    lines = [f"first = {expression}", f"second = {expression}", "first.start()", "second.start()"]
    lines += ["first.join()", "second.join()"]
    operation = Operation(f"two {cls.qualname} threads", "\n".join(lines))
    return stage.scenario("program", builder.setup, [operation])


def instrumented(project: Project, module: ModuleOutline) -> list[Path]:
    """The files that get yield points: the module and what it imports of the project, the nearest first."""
    return project.reachable(module)[:INSTRUMENTED_FILES]


def subject_of(builder: Builder, entry: Entry) -> str:
    """The name of the object that the entry is called on, or made by; empty for none. Raises CannotBuild."""
    if entry.cls is None and entry.function.nested:
        owner = entry.module.classes.get(entry.module.outermost(entry.function).owner)
        return builder.subject(entry.module, owner) if owner is not None else ""
    if entry.cls is None or entry.makes_object or entry.function.kind in ("classmethod", "staticmethod"):
        return ""
    if entry.cls.nested:
        raise CannotBuild(f"`{entry.cls.qualname}` is defined inside a function", "")
    if HANDLERS & set(builder.project.outer_bases(entry.module, entry.cls)):
        return builder.request_handler(entry.module, entry.cls)
    return builder.subject(entry.module, entry.cls)


def _thread(thread: tuple[Entry, ...], calls: dict[Entry, Call], index: int, combination: Combination) -> Operation:
    chosen = []
    for entry in thread:
        call = calls[entry]
        if combination.swapped and index % 2:
            chosen.append(call.swapped or call.operation)
        else:
            chosen.append(call.operation)
    if len(chosen) == 1:
        return chosen[0]
    return Operation("; ".join(op.label for op in chosen), "\n".join(op.source for op in chosen))
