"""Calls that are known not to raise in correct code: nothing can leave the block between acquire and release there."""

from __future__ import annotations

NEVER_RAISES: frozenset[str] = frozenset(
    {
        "builtins.len",
        "builtins.isinstance",
        "builtins.id",
        "builtins.callable",
        "builtins.bool",
        "builtins.range",
        "builtins.reversed",
        "builtins.list",
        "builtins.dict",
        "builtins.enumerate",
        "builtins.format",
        "builtins.set",
        "builtins.tuple",
        "builtins.object",
        "builtins.repr",
        "builtins.str",
        "builtins.super",
        "builtins.type",
        "builtins.min",
        "builtins.max",
        "time.time",
        "time.monotonic",
        "time.perf_counter",
        "threading.get_ident",
        "threading.current_thread",
        "threading.Lock",
        "threading.RLock",
        "threading.Event",
        "os.getpid",
    }
)
"""By dotted name of what is called."""

NEVER_RAISING_METHODS: frozenset[str] = frozenset(
    {"notify", "notify_all", "notifyAll", "release", "acquire", "set", "clear", "is_set", "append", "appendleft", "add"}
    | {"discard", "get", "keys", "values", "items", "copy", "locked", "is_alive", "setdefault", "wait", "wait_for"}
)
"""By method name, where the receiver is a lock, condition, event or built-in container."""

LOGGING_METHODS: frozenset[str] = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
"""What logs tells of its own failures and goes on."""

HARMLESS_METHODS: frozenset[str] = frozenset({"append", "appendleft", "notify", "notify_all", "notifyAll", "is_set"})
"""Methods that are taken not to raise where the receiver's type is not known: nearly always those of a container."""

LOOKUP_ERRORS: frozenset[str] = frozenset({"g:KeyError", "g:IndexError", "g:LookupError"})
"""What looking for something raises that is not there, as a handler names it."""

CANCELLATIONS: frozenset[str] = frozenset(
    {"CancelledError", "g:CancelledError", "Cancelled", "g:Cancelled", "get_cancelled_exc_class"}
)
"""What an await raises in a task that is cancelled, as a handler names it."""

SEQUENCES: frozenset[str] = frozenset({"builtins.list", "builtins.bytearray", "collections.deque", "array.array"})
"""Containers where storing at an index raises if it is out of range."""

COMPLETE_CONTAINERS: frozenset[str] = frozenset({"collections.Counter", "collections.defaultdict"})
"""Containers that have a value for every key."""
