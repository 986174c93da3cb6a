"""What an execution leaves behind: files open, locks held by threads that have ended, threads that never end."""

from __future__ import annotations

import gc
import io
from _weakref import ref
from typing import Any

from .snapshot import Snapshot
from .tasks import DONE, Task

OPEN = io.open
Left = dict[str, tuple[str, ...]]
"""By kind, what is left of it, in words."""


class OpenFiles:
    """The files that the target opened with `open`, or through `pathlib`, in the running execution."""

    def __init__(self) -> None:
        self.opened: list[Any] = []
        self._most = 0

    def install(self, names: dict[str, Any]) -> None:
        """Watch from now on; `names` are the built-in ones of the target."""
        names["open"] = io.open = self.open

    def open(self, *args: Any, **keywords: Any) -> Any:
        file: Any = OPEN(*args, **keywords)
        self.opened.append(ref(file))
        return file

    def forget(self) -> None:
        """A new execution begins."""
        self.opened.clear()

    def left(self) -> tuple[str, ...]:
        """The files that are open and not garbage."""
        if not self.opened:
            return ()
        found = self._unclosed()
        if len(found) > self._most:
            gc.collect()
            found = self._unclosed()
            self._most = max(self._most, len(found))
        return tuple(f"{_name(file)} stays open" for file in found)

    def _unclosed(self) -> list[Any]:
        return [file for file in (opened() for opened in self.opened) if file is not None and not file.closed]


def left_behind(files: OpenFiles, tasks: list[Task], operations: list[Task], snapshot: Snapshot) -> Left:
    """What is left when the operations have ended; `snapshot` has seen the state."""
    left: Left = {}
    open_files = files.left()
    if open_files:
        left["file"] = open_files
    owners = [lock.owner for lock in snapshot.locked if lock.owner is not None]
    held = tuple(f"{owner.label} ends with a lock held" for owner in owners if owner.state == DONE)
    if held:
        left["lock"] = held
    if len(tasks) > len(operations):
        running = tuple(f"thread {task.label} runs on" for task in tasks if task.state != DONE)
        if running:
            left["thread"] = running
    return left


def _name(file: Any) -> str:
    name = getattr(file, "name", "")
    return f"the file {name}" if isinstance(name, str) and name else "a file"
