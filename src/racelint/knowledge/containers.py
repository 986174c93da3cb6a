"""Methods of the built-in containers: what changes them, what resizes them, and whether one call is one atomic step.

CPython does each of these in C with the GIL held, or under the object's own lock in free-threaded builds, as long as
the keys' `__hash__` and `__eq__` are C code.
"""

from __future__ import annotations

CONTAINERS: frozenset[str] = frozenset(
    {
        "builtins.list",
        "builtins.dict",
        "builtins.set",
        "builtins.bytearray",
        "collections.deque",
        "collections.OrderedDict",
        "collections.defaultdict",
        "collections.Counter",
        "weakref.WeakValueDictionary",
        "weakref.WeakKeyDictionary",
        "weakref.WeakSet",
        "array.array",
    }
)
CONTAINER_ANNOTATIONS: frozenset[str] = frozenset(
    {"list", "List", "set", "Set", "dict", "Dict", "deque", "Deque", "OrderedDict", "defaultdict", "DefaultDict"}
    | {"tuple", "Tuple", "frozenset", "FrozenSet", "Iterable", "Iterator", "Collection", "Sequence", "MutableSequence"}
    | {"MutableSet", "AbstractSet", "Mapping", "MutableMapping", "WeakSet", "WeakValueDictionary", "Queue", "LifoQueue"}
    | {"PriorityQueue", "SimpleQueue"}
)
"""Generic types whose last argument is the type of what they hold."""
WEAK_CONTAINERS: frozenset[str] = frozenset(
    {"weakref.WeakValueDictionary", "weakref.WeakKeyDictionary", "weakref.WeakSet"}
)
RAISING_CONTAINERS: frozenset[str] = frozenset(
    {"dict", "set", "deque", "ordereddict", "defaultdict", "counter", "weakset", "weakvaluedictionary"}
    | {"weakkeydictionary"}
)
"""Containers, by the last part of their names in lower case, whose iteration raises once they were resized."""
SELF_GUARDED: frozenset[str] = frozenset(
    {
        "queue.Queue",
        "queue.LifoQueue",
        "queue.PriorityQueue",
        "queue.SimpleQueue",
        "threading.local",
        "contextvars.ContextVar",
        "threading.Event",
        "threading.Barrier",
        "multiprocessing.Queue",
        "multiprocessing.SimpleQueue",
        "multiprocessing.JoinableQueue",
        "logging.Logger",
        "itertools.count",
    }
)
"""Types that guard their own state."""

RESIZING_METHODS: frozenset[str] = frozenset(
    {
        *("append", "appendleft", "extend", "extendleft", "insert", "remove", "pop", "popleft", "popitem", "clear"),
        *("add", "discard", "update", "setdefault", "difference_update", "intersection_update"),
        *("symmetric_difference_update", "subtract"),
    }
)
MUTATING_METHODS: frozenset[str] = RESIZING_METHODS | frozenset(
    {"sort", "reverse", "rotate", "move_to_end", "__setitem__", "__delitem__"}
)
TAKING_METHODS: frozenset[str] = frozenset({"pop", "popleft", "popitem", "remove", "index", "get_nowait"})
"""Mutations that fail where another thread was faster."""

CHANGING_FUNCTIONS: dict[str, str] = {
    "heapq.heappush": "insert",
    "heapq.heappop": "pop",
    "heapq.heappushpop": "pop",
    "heapq.heapreplace": "pop",
    "heapq.heapify": "sort",
    "bisect.insort": "insert",
    "bisect.insort_left": "insert",
    "bisect.insort_right": "insert",
    "random.shuffle": "sort",
}
"""Functions that change the list which is their first argument, and the list's method that does the like."""

READING_METHODS: frozenset[str] = frozenset(
    {"get", "keys", "values", "items", "copy", "count", "index", "__contains__", "__getitem__", "__len__", "isdisjoint"}
)
TYPE_ALIASES: dict[str, str] = {
    "builtins.tuple": "builtins.tuple",
    "typing.Dict": "builtins.dict",
    "typing.List": "builtins.list",
    "typing.Set": "builtins.set",
    "typing.Deque": "collections.deque",
    "typing.DefaultDict": "collections.defaultdict",
    "typing.OrderedDict": "collections.OrderedDict",
    "typing.MutableMapping": "builtins.dict",
    "typing.MutableSequence": "builtins.list",
    "collections.abc.MutableMapping": "builtins.dict",
}
"""What an annotation means at run time."""
ANSWERS: frozenset[str] = frozenset(
    {"builtins.any", "builtins.all", "builtins.isinstance", "builtins.issubclass"}
    | {"builtins.callable", "builtins.hasattr"}
)
"""Questions that are answered by True or False, alike whoever asks."""
IMMUTABLE_RESULTS: frozenset[str] = frozenset(
    {
        *("builtins.int", "builtins.str", "builtins.bytes", "builtins.float", "builtins.bool", "builtins.frozenset"),
        *("builtins.tuple", "builtins.hash", "builtins.len", "builtins.repr", "builtins.sum", "builtins.min"),
        *("builtins.max", "builtins.abs", "builtins.round", "builtins.complex", "re.compile", "decimal.Decimal"),
        *("fractions.Fraction", "datetime.timedelta", "pathlib.Path", "pathlib.PurePath", "operator.itemgetter"),
        *("operator.attrgetter", "os.getpid", "platform.system", "types.MappingProxyType"),
        *ANSWERS,
    }
)
"""Calls that give an equal, immutable object each time: computing one twice is harmless."""
TEXT_METHODS: frozenset[str] = frozenset(
    {
        *("encode", "decode", "lower", "upper", "casefold", "title", "capitalize", "swapcase", "strip", "lstrip"),
        *("rstrip", "removeprefix", "removesuffix", "format", "zfill", "ljust", "rjust", "expandtabs", "translate"),
    }
)
"""Methods of texts whose names tell: they give an equal text each time, whatever the receiver's type is known to be."""
WRITING_METHODS: frozenset[str] = frozenset({"write", "writelines", "truncate"})
STREAMS: frozenset[str] = frozenset(
    {"builtins.open", "gzip.open", "gzip.GzipFile", "tempfile.TemporaryFile", "codecs.open"}
)
"""Files and buffers: a write changes what another thread may be replacing or closing."""

ONE_THREAD_AT_A_TIME: frozenset[str] = frozenset(
    {"sqlite3.connect", "sqlite3.Connection", "sqlite3.Cursor", "zipfile.ZipFile", "tarfile.open", "tarfile.TarFile"}
    | {"ftplib.FTP", "smtplib.SMTP", "imaplib.IMAP4", "http.client.HTTPConnection", "http.client.HTTPSConnection"}
)
"""Objects of the standard library whose calls must not overlap, by their documentation."""

CLOSED_FOR_GOOD: frozenset[str] = (
    STREAMS | ONE_THREAD_AT_A_TIME | frozenset({"socket.socket", "socket.create_connection", "shelve.open", "dbm.open"})
)
"""Objects that refuse every call once they are closed."""
