"""What runs in the middle of other code, and which locks are hidden there: by the dotted names of what is called."""

from __future__ import annotations

REFERENCE_CALLBACKS: dict[str, tuple[int, str]] = {
    "weakref.ref": (1, "callback"),
    "weakref.proxy": (1, "callback"),
    "weakref.WeakMethod": (1, "callback"),
    "weakref.ReferenceType": (1, "callback"),
    "weakref.KeyedRef": (1, "callback"),
}
"""Position and keyword of the function that runs when the object is collected."""

LOCKING_QUEUE_METHODS: frozenset[str] = frozenset({"put", "put_nowait", "get", "get_nowait", "qsize", "empty", "full"})
"""They take the queue's own lock, which is not reentrant; a SimpleQueue is made for finalizers."""
