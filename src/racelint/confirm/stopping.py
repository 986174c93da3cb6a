"""RL308: a thread is started and told to stop, and perhaps the next one started; it must end whenever it is told."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from racelint.confirm.combinations import Combination
from racelint.confirm.operations import Entry, call_of
from racelint.confirm.outline import FunctionOutline, dotted, own_nodes
from racelint.confirm.programs import programs
from racelint.confirm.scenes import Stage, on_one_object, subject_of
from racelint.confirm.ways_in import PAIRS_OF_ENTRIES, entries_of
from racelint.model.scenario import Operation, Scenario


@dataclass(frozen=True)
class Stop:
    """`start` makes the thread, `stop` tells it to end; `again`: the next one is started before it may have heard.

    `beside` are other functions of the finding, whose class the object is to be of.
    """

    start: Entry
    stop: Entry
    beside: tuple[Entry, ...]
    again: bool = False


def stops(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Stop]:
    """The ways to start a thread that comes to the flagged functions, with each of these as what stops it.

    What whoever starts the thread does wrong (the first function is that) takes a second start to show.
    """
    beside = tuple(Entry(stage.module, function, stage.module.classes.get(function.owner)) for function in functions)
    starters = list(dict.fromkeys(_starters(stage, functions)))[:PAIRS_OF_ENTRIES]
    starting = {entry.function for entry in starters}
    for function in functions[::-1]:
        for stop in entries_of(stage, function)[:PAIRS_OF_ENTRIES]:
            if stop.function in starting or stop.makes_object or stage.starts_threads(stop):
                continue
            for start in starters:
                if _are_of_one_object(stage, start, stop):
                    yield Stop(start, stop, beside, again=_is_of_start(stage, start, functions[0]))


def _is_of_start(stage: Stage, start: Entry, function: FunctionOutline) -> bool:
    """Whether the function is done by whoever starts the thread, on an object that may be started again."""
    if start.makes_object or stage.is_run_of_thread(start):
        return False
    return start.function is function or _calls(start.function, function.name)


def _calls(function: FunctionOutline, name: str) -> bool:
    calls = [node for node in own_nodes(function.node) if isinstance(node, ast.Call)]
    return any(dotted(call.func) in (f"self.{name}", name) for call in calls)


def _are_of_one_object(stage: Stage, one: Entry, other: Entry) -> bool:
    """Whether a method of each may be called on one object; a plain function may have to do with any."""
    if one.cls is None or other.cls is None:
        return True
    lineages = [
        [cls for _, cls in stage.project.lineage(entry.module, entry.cls)] for entry in (one, other) if entry.cls
    ]
    return one.cls in lineages[1] or other.cls in lineages[0]


def _starters(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Entry]:
    """To make the object or to start it, where that starts the thread, else what of the module does so."""
    for cls in dict.fromkeys(stage.module.classes.get(function.owner) for function in functions):
        if cls is None or cls.nested:
            continue
        run, made = (stage.project.find_method(stage.module, cls, name) for name in ("run", "__init__"))
        if run is not None and stage.project.is_thread_class(stage.module, cls):
            methods = stage.project.methods(stage.module, cls).values()
            starting = [method for method in methods if _calls(method, "start")]
            yield from (Entry(stage.module, method, cls) for method in starting or [run])
        elif made is not None and stage.footprints.of(made, cls).starts_threads:
            yield Entry(stage.module, made, cls)
    yield from programs(stage, [function.qualname for function in functions])


def stopping_scenario(stage: Stage, asked: Stop) -> Scenario:
    """Start, stop and wait for the end of the threads that were started first. Raises CannotBuild."""
    combination = on_one_object(stage.project, Combination(((asked.start, asked.stop, *asked.beside),)))
    start, stop, *_ = combination.threads[0]
    builder = stage.builder()
    if start.makes_object and start.cls is not None:
        subject, label = "subject", start.label
        begin = f"{subject} = {builder.fresh(start.module, start.cls)}"
    elif stage.is_run_of_thread(start):
        subject = subject_of(builder, start)
        begin, label = f"{subject}.start()", start.label.replace("run", "start")
    else:
        subject = subject_of(builder, start)
        begin, label = call_of(builder, start, subject).operation.source, start.label
    name = subject if stop.cls is start.cls else subject_of(builder, stop)
    end = call_of(builder, stop, name).operation.source
    lines = [begin, "told = started_threads()", "meanwhile()", end, "meanwhile()"]
    labels = [label, stop.label]
    if asked.again:
        lines += [begin, "meanwhile()"]
        labels.append(label)
    lines.append("wait_for_the_end_of(told)")
    operation = Operation("; ".join(labels), "\n".join(lines))
    return msgspec.structs.replace(stage.scenario("program", builder.setup, [operation]), must_end=True)
