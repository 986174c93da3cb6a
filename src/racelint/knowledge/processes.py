"""What processes share, by the dotted names of its types."""

from __future__ import annotations

SHARED_NUMBERS: frozenset[str] = frozenset(
    {"multiprocessing.Value", "multiprocessing.Array", "multiprocessing.RawValue", "multiprocessing.RawArray"}
    | {"multiprocessing.sharedctypes.RawValue", "multiprocessing.sharedctypes.RawArray"}
    | {"multiprocessing.managers.ValueProxy", "multiprocessing.managers.ArrayProxy"}
    | {f"multiprocessing.sharedctypes.Synchronized{kind}" for kind in ("", "Array", "Base", "String")}
)
"""Values in shared memory: one read and one write are each whole, the two together are not."""

PLAIN_CONTAINERS: frozenset[str] = frozenset(
    {"builtins.list", "builtins.dict", "builtins.set", "builtins.bytearray", "collections.deque"}
    | {"collections.OrderedDict", "collections.defaultdict", "collections.Counter", "array.array"}
)
"""Containers that each process has a copy of."""

THREAD_ONLY: frozenset[str] = frozenset(
    {"threading.Lock", "threading.RLock", "threading.Condition", "threading.Event", "threading.Barrier"}
    | {"threading.Semaphore", "threading.BoundedSemaphore", "_thread.allocate_lock"}
    | {"queue.Queue", "queue.LifoQueue", "queue.PriorityQueue", "queue.SimpleQueue"}
)
"""What works between the threads of one process alone."""

SIGNALS: frozenset[str] = frozenset(
    {"set", "put", "put_nowait", "notify", "notify_all", "release", "is_set", "wait", "get", "get_nowait", "acquire"}
    | {"clear", "join", "task_done", "empty", "wait_for"}
)
"""Methods by which one side tells the other something, or listens."""

PROXIES: frozenset[str] = frozenset(
    f"multiprocessing.managers.{name}" for name in ("DictProxy", "ListProxy", "NamespaceProxy")
)
"""What stands for a container in the process of a manager: what it holds is given out as copies."""

PIPED_QUEUES: frozenset[str] = frozenset(
    {"multiprocessing.Queue", "multiprocessing.JoinableQueue", "multiprocessing.SimpleQueue"}
)
"""Queues whose items go through a pipe, which holds only so much."""

SHARED_MEMORY: frozenset[str] = frozenset(
    {"multiprocessing.shared_memory.SharedMemory", "multiprocessing.shared_memory.ShareableList"}
)
UNLOCKED_ARRAYS: frozenset[str] = SHARED_MEMORY | {
    "multiprocessing.RawArray",
    "multiprocessing.sharedctypes.RawArray",
}
"""Memory that processes share, with no lock of its own."""

VIEWS: frozenset[str] = frozenset({"numpy.frombuffer", "numpy.ndarray", "numpy.asarray", "builtins.memoryview"})
"""What gives another look at the same memory."""

HANDSHAKES: frozenset[str] = frozenset(
    {"wait", "wait_for", "set", "put", "put_nowait", "get", "get_nowait", "send", "send_bytes", "recv", "recv_bytes"}
    | {"acquire", "release", "notify", "notify_all", "is_set", "poll"}
)
"""Calls that order what two processes do: one tells, the other waits."""
