"""How findings name a lock: as it is written where it is used, and as the whole program knows it."""

from __future__ import annotations

from racelint.model.summary import Call
from racelint.program.flow.values import FunctionFacts
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.spelling import spelled


def lock_name(lock: Lock, call: Call, facts: FunctionFacts) -> str:
    """The receiver of `call` as written; a local alias by what it stands for."""
    path = call.func[0][:-1]
    return lock.short if path[0].startswith("c:") and lock.location.kind != "captured" else spelled(path, facts)


def holder_word(lock: Lock | None) -> str:
    """What holds such a lock: a thread, a task of an event loop or a process."""
    world = lock.facts.world if lock is not None and lock.facts is not None else "thread"
    return "task" if world == "async" else world


def lock_subject(lock: Lock, function: FunctionInfo, name: str) -> str:
    """The access path of the finding: the lock's own, or its name in the function where it is local."""
    if lock.location.kind == "captured" and any(":" in field for field in lock.location.fields):
        return f"{function.module.name}.{function.qualname}.{name}"
    return lock.name
