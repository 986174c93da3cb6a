"""Code that starts threads, tasks or processes of its own: functions, methods and scripts that run as they stand."""

from __future__ import annotations

from collections.abc import Iterable

from racelint.confirm.footprint import Footprint
from racelint.confirm.operations import Entry
from racelint.confirm.outline import FunctionOutline
from racelint.confirm.scenes import Stage


def starts(footprint: Footprint, *, processes: bool, tasks: bool) -> bool:
    """Whether it starts what is asked for: processes, tasks of an event loop, or threads."""
    if processes or tasks:
        return footprint.starts_processes if processes else footprint.starts_tasks
    return footprint.starts_threads


def programs(stage: Stage, reaching: Iterable[str], *, processes: bool = False) -> list[Entry]:
    """Functions and methods of the module that start threads (or tasks) and come to one of the names in `reaching`.

    Those that need no argument come first, then those that reach more; an empty `reaching` asks for all.
    """
    wanted = set(reaching)
    found: list[tuple[int, int, int, Entry]] = []
    for function in stage.module.functions.values():
        cls = stage.module.classes.get(function.owner)
        if (
            function.nested
            or function.is_async > stage.on_a_loop
            or function.name.startswith("__")
            or function.kind == "setter"
        ):
            continue
        footprint = stage.footprints.of(function, cls)
        if not starts(footprint, processes=processes, tasks=stage.on_a_loop) or (
            wanted and not wanted & footprint.reached
        ):
            continue
        covered = len(wanted & footprint.reached)
        found.append((len(function.required) + bool(cls), -covered, len(found), Entry(stage.module, function, cls)))
    return [entry for *_, entry in sorted(found, key=lambda item: item[:3])]


def script_starts(stage: Stage, *, processes: bool = False) -> bool:
    """Whether running the file as a script starts threads: under its main guard or at module level."""
    guard = stage.module.main_guard
    body = [s for s in stage.module.tree.body if not hasattr(s, "decorator_list")]
    footprint = stage.footprints.of_body([*body, *(guard.body if guard else [])])
    return starts(footprint, processes=processes, tasks=stage.on_a_loop)


def script_reaches(stage: Stage, names: Iterable[str]) -> bool:
    """Whether running the file as a script comes to one of the functions or classes named."""
    body = [s for s in stage.module.tree.body if not hasattr(s, "decorator_list")]
    return bool(set(names) & stage.footprints.of_body(body).reached)


def reach_names(functions: Iterable[FunctionOutline]) -> list[str]:
    """The names by which a footprint says that it came to these functions: their own and their classes'."""
    found: dict[str, None] = {}
    for function in functions:
        found[function.qualname.partition(".<locals>")[0]] = None
        if function.owner:
            found[function.owner] = None
    return list(found)
