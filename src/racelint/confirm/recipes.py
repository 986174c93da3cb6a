"""For each rule, the scenarios that could prove it, the likeliest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import combinations

from racelint.confirm.combinations import (
    Combination,
    fillers,
    pair_combinations,
    prepared_combinations,
    repeated,
)
from racelint.confirm.finalizers import finalizer_scenario
from racelint.confirm.footprint import conflict
from racelint.confirm.forking import forked_scenario, inherited_lock
from racelint.confirm.held import locks_at, locks_of
from racelint.confirm.injection import (
    critical_section,
    ended_section,
    failing_scenario,
    helped_section,
    taken_by,
)
from racelint.confirm.operations import Entry
from racelint.confirm.outline import FunctionOutline
from racelint.confirm.pairing import paired
from racelint.confirm.programs import programs, reach_names, script_reaches, script_starts
from racelint.confirm.scenes import (
    Stage,
    program_scenario,
    script_scenario,
    thread_objects_scenario,
    threads_scenario,
    with_large_numbers,
)
from racelint.confirm.stalling import is_lock_name, stalled_call, stalled_scenario
from racelint.confirm.stopping import stopping_scenario, stops
from racelint.confirm.ways_in import PAIRS_OF_ENTRIES, entries_of, neighbours
from racelint.model.scenario import Scenario, ScenarioKind

Attempt = Callable[[], Scenario]
"""Builds one scenario when asked; raises CannotBuild."""

Recipe = Callable[[Stage, list[FunctionOutline]], Iterator[Attempt]]
"""From the functions that a finding's accesses stand in (the flagged one first) to the attempts."""

OTHERS = 6
"""Other operations of the same object that are tried against the flagged one."""

MOST_NOTIFIERS = 3
"""Operations that notify, beside two that wait."""

ABOUT_LOCKS = ("RL2", "RL3")

PROGRAMS = 3
"""Functions that start threads tried for one finding."""


def race(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """Shared state: the flagged pair of operations, the programs that run them, then wider combinations."""
    first = entries_of(stage, functions[0]) if functions else []
    second = entries_of(stage, functions[1]) if len(functions) > 1 else first
    for entry in dict.fromkeys([*first, *second]):
        if stage.starts_threads(entry):
            yield lambda entry=entry: program_scenario(stage, entry)  # type: ignore[misc]
    combinations = _direct(stage, first[:PAIRS_OF_ENTRIES], second[:PAIRS_OF_ENTRIES])
    direct = [_threads(stage, combination) for combination in combinations]
    yield from direct[:1]
    yield from thread_classes(stage, functions)
    yield from whole_programs(stage, functions)
    yield from direct[1:]
    for entry in dict.fromkeys([*first, *second]):
        if stage.called_again(entry):
            yield _threads(stage, Combination(((entry, entry),)))
            yield _threads(stage, Combination(((entry,), (entry,))))
    if functions:
        around = neighbours(stage, functions[0])
        others = _against_others(stage, first[:PAIRS_OF_ENTRIES], around)
        yield from (_threads(stage, combination) for combination in others)
        for prepared in prepared_combinations(stage.footprints, around, [*combinations[:1], *others]):
            yield _threads(stage, prepared)


def _against_others(stage: Stage, flagged: list[Entry], around: list[Entry]) -> list[Combination]:
    """The flagged operation and each other one that may change what it touches, the likeliest first."""
    scored: list[tuple[int, int, Combination]] = []
    for entry in flagged:
        own = stage.footprints.of(entry.function, entry.cls)
        for other in around:
            score = conflict(own, stage.footprints.of(other.function, other.cls))
            if score and other.function is not entry.function:
                scored.append((-score, len(scored), Combination(((entry,), (other,)))))
    found = [combination for *_, combination in sorted(scored, key=lambda item: item[:2])]
    return [combination for combination in found if not _contains_itself(stage, combination)][:OTHERS]


def waiters(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """A wait that trusts its wake-up: two waiters and one that notifies, then the program itself."""
    for function in functions[:1]:
        cls = stage.module.classes.get(function.owner)
        waited = stage.footprints.of(function, cls).waits
        notifiers = [e for e in neighbours(stage, function) if stage.footprints.of(e.function, e.cls).notifies & waited]
        for waiter in entries_of(stage, function)[:PAIRS_OF_ENTRIES]:
            for notifier in notifiers[:PAIRS_OF_ENTRIES]:
                yield _threads(stage, Combination(((waiter,), (waiter,), (notifier,))))
                yield _threads(stage, Combination(((waiter,), (notifier,))))
                yield _threads(stage, Combination(((waiter,), (waiter,), (notifier, notifier))))
    yield from whole_programs(stage, functions)
    yield from race(stage, functions)


def mixed_waiters(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """Waits of two kinds on one condition: two threads of each, and all who notify, so that both can end."""
    entries = [entry for function in functions for entry in entries_of(stage, function)[:1]]
    kinds = [entry for entry in dict.fromkeys(entries) if stage.footprints.of(entry.function, entry.cls).waits]
    for one, other in combinations(kinds, 2):
        waited = set().union(*(stage.footprints.of(entry.function, entry.cls).waits for entry in (one, other)))
        beside = [e for e in neighbours(stage, one.function) if e not in kinds and e != entries[0]]
        telling = [e for e in beside if stage.footprints.of(e.function, e.cls).notifies & waited]
        notifiers = [entry for entry in (*entries[:1], *telling) if entry not in (one, other)][:MOST_NOTIFIERS]
        yield _threads(stage, Combination(((one,), (one,), (other,), (other,))))
        yield _threads(stage, Combination(((one,), (other,), *((entry,) for entry in notifiers))))
    yield from whole_programs(stage, functions)


def whole_programs(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """What starts its own threads and comes to the flagged functions."""
    yield from _programs(stage, functions, "program")


def across_threads(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """What runs a loop and a thread beside it: programs, the functions around the flagged ones first."""
    for function in functions:
        outer = stage.module.outermost(function)
        for entry in entries_of(stage, outer)[:PAIRS_OF_ENTRIES]:
            yield lambda entry=entry: program_scenario(stage, entry)  # type: ignore[misc]
    yield from whole_programs(stage, functions)


def callers(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """Programs, and other functions that come to the flagged ones: threads that are there run what they hand over."""
    yield from whole_programs(stage, functions)
    names = set(reach_names(functions))
    for function in stage.module.functions.values():
        entry = Entry(stage.module, function, stage.module.classes.get(function.owner))
        reached = stage.footprints.of(function, entry.cls).reached
        if function not in functions and not function.nested and not function.is_async and names & reached:
            yield lambda entry=entry: program_scenario(stage, entry)  # type: ignore[misc]


def processes(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """What starts real processes and comes to the flagged functions."""
    yield from _programs(stage, functions, "processes")


def thread_classes(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """Two objects of a Thread subclass whose `run` holds a flagged access."""
    for name in dict.fromkeys(function.owner for function in functions if function.owner):
        cls = stage.module.classes.get(name)
        if cls and not cls.nested and stage.project.is_thread_class(stage.module, cls):
            yield lambda cls=cls: thread_objects_scenario(stage, stage.module, cls)  # type: ignore[misc]


def alone(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """The operation by itself, for what goes wrong on one thread: at once, and after another that it may need."""
    for function in functions[:1]:
        single = [Combination(((entry,),)) for entry in entries_of(stage, function)[:PAIRS_OF_ENTRIES]]
        yield from (_threads(stage, combination) for combination in single)
        for prepared in prepared_combinations(stage.footprints, neighbours(stage, function), single):
            yield _threads(stage, prepared)


def finalizers(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """The last reference to an object goes while its lock is held; what a collection may do at any time."""
    for function in functions[:1]:
        if stage.fixtures.caller(function.name):
            yield from alone(stage, functions)
            return
        cls = stage.module.classes.get(function.owner)
        locks = [lock for lock in locks_of(function) if lock.startswith("self.")]
        for dying in stage.module.classes.values():
            finalizer = dying.methods.get("__del__")
            if cls and locks and finalizer and function.qualname in stage.footprints.of(finalizer, dying).reached:
                yield partial(finalizer_scenario, stage, cls, dying, locks[0])
    yield from alone(stage, functions)


def leaks(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """A lock that a failure leaves held: the operation with what it calls made to fail, and another who wants in."""
    for function in functions[:1]:
        line = stage.flagged[0].line if stage.flagged else 0
        cls = stage.module.classes.get(function.owner)
        methods = stage.project.methods(stage.module, cls) if cls is not None else {}
        ended = ended_section(function, line)
        section = ended or helped_section(function, line, methods) or critical_section(function, line)
        if section is None:
            continue
        takers: list[Entry | None] = [None]
        if ended is not None:
            takers = [Entry(stage.module, m, cls) for m in methods.values() if taken_by(m) == ended.lock]
        for entry in entries_of(stage, function)[:PAIRS_OF_ENTRIES]:
            for taker in takers:
                for call in section.failures[ended is not None :]:
                    yield partial(failing_scenario, stage, entry, section, call, taker)


def stalls(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """What is waited for under a lock never comes: the operation, at once or made possible by another, and one more."""
    for function in functions[:1]:
        call = stalled_call(stage)
        if call is None or is_lock_name(call.callee):
            continue
        for entry in entries_of(stage, function)[:PAIRS_OF_ENTRIES]:
            for lock in locks_at(function, stage.flagged[0].line):
                for first in (None, *fillers(stage.footprints, neighbours(stage, function), entry)):
                    yield partial(stalled_scenario, stage, entry, call, lock, first)


def lost_stops(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """A thread that is told to stop and does not hear it; then what else an event may be raced for."""
    yield from (partial(stopping_scenario, stage, stop) for stop in stops(stage, functions))
    yield from race(stage, functions)


def forks(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """A fork while another thread is inside of the lock that the child takes: each operation that takes it."""
    inherited = inherited_lock(stage)
    if inherited is None:
        return
    child = inherited.function
    own = [None] if inherited.is_handled else entries_of(stage, child)[:PAIRS_OF_ENTRIES]
    cls = stage.module.classes.get(child.owner)
    beside = stage.project.methods(stage.module, cls) if cls is not None else stage.module.functions
    takers = [function for function in beside.values() if inherited.lock in locks_of(function)]
    if inherited.is_handled:
        takers = [taker for taker in takers if taker is not child]
    holders = dict.fromkeys(entry for taker in takers for entry in entries_of(stage, taker)[:PAIRS_OF_ENTRIES])
    for holder in holders:
        for entry in own:
            yield partial(forked_scenario, stage, holder, entry)


def cost(stage: Stage, functions: list[FunctionOutline]) -> Iterator[Attempt]:
    """What is measured: the function with the loop, or the program with the threads."""
    for function in functions[:1]:
        for entry in entries_of(stage, function)[:PAIRS_OF_ENTRIES]:
            yield lambda entry=entry: program_scenario(stage, entry, "cost")  # type: ignore[misc]
            if stage.code == "RL402":
                yield lambda entry=entry: with_large_numbers(program_scenario(stage, entry, "cost"))  # type: ignore[misc]
    yield from _programs(stage, functions, "cost")


def _programs(stage: Stage, functions: list[FunctionOutline], kind: ScenarioKind) -> Iterator[Attempt]:
    real = kind == "processes"
    names = reach_names(functions)
    for entry in programs(stage, names, processes=real)[:PROGRAMS]:
        yield lambda entry=entry: program_scenario(stage, entry, kind)  # type: ignore[misc]
    if script_starts(stage, processes=real) and (not names or script_reaches(stage, names)):
        yield lambda: script_scenario(stage, kind)


def _direct(stage: Stage, first: list[Entry], second: list[Entry]) -> list[Combination]:
    """The combinations of two sets of entries, small ones first, those left out that no two threads can run."""
    combinations = [c for left in first for right in second for c in pair_combinations(left, right)]
    possible = [
        combination
        for combination in _distinct(combinations)
        if all(stage.repeats(entry) for entry in repeated(combination)) and not _contains_itself(stage, combination)
    ]
    ordered = sorted(enumerate(possible), key=lambda item: (_size(item[1]), item[0]))
    return [combination for _, combination in ordered]


def _contains_itself(stage: Stage, combination: Combination) -> bool:
    """Whether one entry starts threads that come to another: run alone, it shows what the two would.

    Not where the user says how to call one of them.
    """
    entries = list(dict.fromkeys(entry for thread in combination.threads for entry in thread))
    return any(
        stage.starts_threads(one) and other.function.qualname in stage.footprints.of(one.function, one.cls).reached
        for one in entries
        for other in entries
        if one is not other and not any(stage.fixtures.caller(entry.function.name) for entry in (one, other))
    )


def _threads(stage: Stage, combination: Combination) -> Attempt:
    """What is about locks that are not taken or not given back is run as it stands."""
    if not stage.code.startswith(ABOUT_LOCKS):
        combination = paired(stage.project, combination)
    return lambda: threads_scenario(stage, combination)


def _distinct(combinations: list[Combination]) -> list[Combination]:
    found: dict[tuple[object, ...], Combination] = {}
    for combination in combinations:
        labels = tuple(tuple(entry.label for entry in thread) for thread in combination.threads)
        found.setdefault((tuple(sorted(labels)), combination.swapped), combination)
    return list(found.values())


def _size(combination: Combination) -> tuple[int, bool]:
    return sum(len(thread) for thread in combination.threads), combination.swapped


def unsupported(code: str) -> str:
    """Why no run can add to what the source already says; empty where the rule can be confirmed."""
    if code in CERTAIN:
        return CERTAIN[code]
    if code.startswith("RL9"):
        return f"{code} is about the source text, there is nothing to run"
    return ""


CERTAIN = {
    "RL108": "RL108 is plain from the source: there is nothing to run",
    "RL110": "RL110 is about what callers may do with the object, there is no operation to run",
    "RL209": "RL209 is plain from the source: there is nothing to run",
    "RL211": "RL211 is advice on style: the code is correct",
    "RL212": "RL212 is plain from the source: there is nothing to run",
    "RL213": "RL213 depends on the callback, which is not known",
    "RL309": "RL309 is plain from the source: there is nothing to run",
    "RL403": "RL403 is about wasted time, which no schedule can show to be wrong",
    "RL501": "RL501 is plain from the source: the function runs before the thread exists",
    "RL502": "RL502 is plain from the source: `start()` returns None",
    "RL503": "RL503 is plain from the source: `run()` runs on the caller's thread",
    "RL504": "RL504 is plain from the source: the arguments do not fit",
    "RL507": "RL507 is plain from the source: there is nothing to run",
    "RL508": "RL508 is plain from the source: there is nothing to run",
    "RL509": "RL509 is about the end of the interpreter, which is not put under control",
    "RL603": "RL603 depends on the start method, there is nothing to schedule",
    "RL704": "RL704 is about waiting time, which no schedule can show to be wrong",
    "RL705": "RL705 is about what the garbage collector may do, which no schedule can show",
}

RECIPES: dict[str, Recipe] = {
    "RL201": leaks,
    "RL202": alone,
    "RL203": alone,
    "RL205": stalls,
    "RL210": finalizers,
    "RL301": waiters,
    "RL302": alone,
    "RL304": waiters,
    "RL305": mixed_waiters,
    "RL306": whole_programs,
    "RL308": lost_stops,
    "RL401": cost,
    "RL402": cost,
    "RL505": whole_programs,
    "RL506": callers,
    "RL601": processes,
    "RL602": processes,
    "RL604": processes,
    "RL605": processes,
    "RL606": forks,
    "RL607": processes,
    "RL608": processes,
    "RL703": across_threads,
}
"""By rule; every other rule that can be confirmed is a `race`."""


def recipe_for(code: str) -> Recipe:
    """The recipe of a rule."""
    return RECIPES.get(code, race)
