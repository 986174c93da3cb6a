"""What users enter the program by that is a part of what a thread runs, or comes before it."""

from __future__ import annotations

from racelint.knowledge.threads import ASKED_FOR, LOOP_TURNS
from racelint.program.linker import Program
from racelint.program.names.thread_root import ThreadRoot, in_one_turn
from racelint.program.parallel.records import Record


def prepares(root: ThreadRoot, other: Record) -> bool:
    """A turn of the loop that starts the threads puts down an element for the one that it is about to start."""
    access, starter = other.access, root.site_function
    if not (root.in_loop and access.function is starter and access.location.content and access.deed == "write"):
        return False
    started = [event for function, event in root.starts if function is starter]
    return bool(access.key) and any(
        access.event < event and in_one_turn(access.function, access.event, event) for event in started
    )


def is_handed_run(mine: Record, other: Record) -> bool:
    """Entered by `run` or `serve_forever`, which a thread was given to run."""
    entry = other.context.entry.function
    runs = entry.ir.name == "run" or entry.ir.name.endswith("_forever")
    return runs and any(frame.function is entry for frame in mine.context.chain())


def is_same_run(root: ThreadRoot, other: Record) -> bool:
    """Entered by the very method that the thread runs, or one that it overrides: called instead of starting it.

    Or it is in a wrapper of the same make around something else, by those who do not start the thread.
    """
    around = [context.function for context in other.context.chain()]
    if root.target.ir.parent and not root.many and root.target in around and root.site_function not in around:
        return True
    entry, target = other.context.entry.function, root.target
    if entry.cls is None or target.cls is None or entry.ir.name != target.ir.name:
        return False
    if root.kind == "timer" and entry.ir.name in ASKED_FOR:
        return False
    return entry.cls in target.cls.mro or target.cls in entry.cls.mro


def is_turn(program: Program, root: ThreadRoot, other: Record) -> bool:
    """Entered by a turn of the loop that the thread runs: for those who have a loop of their own, and no thread."""
    entry = other.context.entry.function
    if not entry.ir.name.startswith(LOOP_TURNS) or root.target.cls is None or entry.cls not in root.target.cls.mro:
        return False
    return any(context.root is root for context in program.reach.in_threads(entry))
