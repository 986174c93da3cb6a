"""Tables of ordinary values: by annotation, by the name of a parameter, by the methods called on it."""

from __future__ import annotations

import collections
import concurrent.futures
import io
import pathlib
import queue
import re
import threading

MODULES = (
    "argparse", "array", "asyncio", "collections", "concurrent.futures", "configparser", "datetime", "decimal",
    "fractions", "io", "logging", "pathlib", "queue", "random", "threading", "types", "uuid",
)  # fmt: skip
"""What the expressions below name: a set-up that uses one imports it."""

BY_TYPE: dict[str, str] = {
    "int": "1",
    "float": "1.0",
    "complex": "1j",
    "Number": "1",
    "Real": "1.0",
    "Integral": "1",
    "SupportsInt": "1",
    "SupportsFloat": "1.0",
    "bool": "True",
    "str": "'key'",
    "AnyStr": "'key'",
    "bytes": "b'data'",
    "bytearray": "bytearray(b'data')",
    "memoryview": "memoryview(b'data')",
    "object": "object()",
    "Any": "1",
    "Hashable": "'key'",
    "None": "None",
    "Path": "pathlib.Path('racelint-file')",
    "PurePath": "pathlib.Path('racelint-file')",
    "PathLike": "'racelint-file'",
    "StrPath": "'racelint-file'",
    "Decimal": "decimal.Decimal(1)",
    "Fraction": "fractions.Fraction(1)",
    "datetime": "datetime.datetime(2020, 1, 1)",
    "date": "datetime.date(2020, 1, 1)",
    "timedelta": "datetime.timedelta(seconds=1)",
    "UUID": "uuid.UUID(int=1)",
    "Lock": "threading.Lock()",
    "LockType": "threading.Lock()",
    "RLock": "threading.RLock()",
    "Condition": "threading.Condition()",
    "Event": "threading.Event()",
    "Semaphore": "threading.Semaphore(1)",
    "BoundedSemaphore": "threading.BoundedSemaphore(1)",
    "Barrier": "threading.Barrier(2)",
    "Queue": "queue.Queue()",
    "SimpleQueue": "queue.SimpleQueue()",
    "LifoQueue": "queue.LifoQueue()",
    "PriorityQueue": "queue.PriorityQueue()",
    "Executor": "concurrent.futures.ThreadPoolExecutor(2)",
    "ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor(2)",
    "Future": "concurrent.futures.Future()",
    "Logger": "logging.getLogger('racelint')",
    "LoggerAdapter": "logging.getLogger('racelint')",
    "Random": "random.Random(0)",
    "SimpleNamespace": "types.SimpleNamespace()",
    "StringIO": "io.StringIO()",
    "BytesIO": "io.BytesIO(b'data')",
    "TextIO": "io.StringIO()",
    "BinaryIO": "io.BytesIO(b'data')",
    "IO": "io.StringIO()",
    "Namespace": "argparse.Namespace()",
    "array": "array.array('i', [1, 2, 3])",
    "Counter": "collections.Counter()",
    "ConfigParser": "configparser.ConfigParser()",
}
"""Expressions for annotations, by their last name."""

CONTAINERS: dict[str, str] = {
    "list": "[{0}, {0}]",
    "List": "[{0}, {0}]",
    "Sequence": "[{0}, {0}]",
    "MutableSequence": "[{0}, {0}]",
    "Collection": "[{0}, {0}]",
    "Iterable": "[{0}, {0}]",
    "Sized": "[{0}, {0}]",
    "Reversible": "[{0}, {0}]",
    "Container": "[{0}, {0}]",
    "Iterator": "iter([{0}, {0}])",
    "Generator": "(item for item in [{0}, {0}])",
    "set": "{{{0}}}",
    "Set": "{{{0}}}",
    "MutableSet": "{{{0}}}",
    "AbstractSet": "{{{0}}}",
    "frozenset": "frozenset([{0}])",
    "FrozenSet": "frozenset([{0}])",
    "deque": "collections.deque([{0}, {0}])",
    "Deque": "collections.deque([{0}, {0}])",
    "dict": "{{{0}: {1}}}",
    "Dict": "{{{0}: {1}}}",
    "Mapping": "{{{0}: {1}}}",
    "MutableMapping": "{{{0}: {1}}}",
    "OrderedDict": "collections.OrderedDict([({0}, {1})])",
    "defaultdict": "collections.defaultdict(lambda: {1})",
    "DefaultDict": "collections.defaultdict(lambda: {1})",
}
"""Templates over the values of the type arguments."""

TRANSPARENT = frozenset(
    {"Annotated", "Final", "Required", "NotRequired", "ReadOnly", "ClassVar", "InitVar", "Awaitable", "Synchronized"}
)
"""Annotations that stand for their first argument."""

COROUTINE = "asyncio.sleep(0, 1)"
BY_NAME: tuple[tuple[str, str], ...] = (
    (r"(is|has|should|use|with|allow|enable)_\w+|flag|enabled|verbose|debug|blocking|force|daemon|strict", "True"),
    (r"fn|func|function|f|callback|cb|handler|factory|predicate|hook|action|task|job|work|target|loader|\w+_fn|"
     r"\w+_func|\w+_callback|on_\w+|default_factory|producer|compute|listener|callable|make|maker|builder|creator",
     "lambda *args, **kwargs: 1"),
    (r"coro|coroutine|awaitable|aw|\w+_coro|\w+_coroutine", COROUTINE),
    (r"timeout|delay|seconds|interval|duration|ttl|\w+_timeout|\w+_seconds|period|rate", "1.0"),
    (r"items|elements|values|xs|lst|seq|sequence|iterable|entries|rows|records|batch|names|words|lines|tasks|jobs|"
     r"args|\w+_list|ids|keys|nums|numbers|array|arr", "[1, 2]"),
    (r"mapping|config|options|settings|params|kwargs|d|dct|headers|\w+_dict|\w+_map|props|attrs|fields|env",
     "{'key': 1}"),
    (r"name|text|msg|message|title|url|uri|host|hostname|user|username|word|label|prefix|suffix|s|string|line|"
     r"email|tag|topic|channel|event|kind|symbol|\w+_name|\w+_key|sku|token|address|description|body|content|"
     r"color|colour|reason|account_id|session_id|query|sql|pattern|country|city|currency|level|mode|filename|path|"
     r"file|filepath|\w+_path|\w+_file|directory|folder|dirname|key|k", "'key'"),
    (r"n|num|number|count|size|amount|delta|value|v|qty|quantity|limit|capacity|x|y|z|a|b|c|i|j|idx|index|id|\w+_id|"
     r"port|total|balance|price|cost|maxsize|max_\w+|min_\w+|initial|start|stop|step|end|offset|length|width|height|"
     r"times|rounds|iterations|workers|\w+_workers|\w+_count|n_\w+|num_\w+|\w+_size|weight|score|age|year|by|seed|"
     r"money|units|permits|parties|item|element|obj|entry|val|new|old|result|sum|increment|points|level|depth", "1"),
)  # fmt: skip
"""Expressions by the name of a parameter that says nothing else of itself; the first pattern that fits counts."""


_FACTORY = re.compile(r"(r?lock|condition|event|semaphore|queue)_?(?:factory|class|cls|type|maker|builder)")
_MADE = {"lock": "Lock", "rlock": "RLock", "condition": "Condition", "event": "Event", "semaphore": "Semaphore"}


def factory_named(name: str) -> str | None:
    """The class of `threading` or `queue` that a parameter so named stands for: `condition_factory`, `lock_class`."""
    found = _FACTORY.fullmatch(name.strip("_").lower())
    if found is None:
        return None
    return "queue.Queue" if found[1] == "queue" else f"threading.{_MADE[found[1]]}"


def by_name(name: str) -> str | None:
    """The ordinary value for a parameter of this name, None where the name tells nothing."""
    bare = name.strip("_").lower()
    for pattern, expression in BY_NAME:
        if re.fullmatch(pattern, bare):
            return expression
    return None


_DUCKS: tuple[tuple[object, str], ...] = (
    (list, "[1, 2]"),
    (dict, "{'key': 1}"),
    (set, "{1}"),
    (str, "'key'"),
    (bytes, "b'data'"),
    (int, "1"),
    (collections.deque, "collections.deque([1, 2])"),
    (threading.Lock(), BY_TYPE["Lock"]),
    (threading.Condition, BY_TYPE["Condition"]),
    (threading.Event, BY_TYPE["Event"]),
    (threading.Barrier, BY_TYPE["Barrier"]),
    (queue.Queue, BY_TYPE["Queue"]),
    (concurrent.futures.Executor, BY_TYPE["Executor"]),
    (pathlib.Path, BY_TYPE["Path"]),
    (io.StringIO, BY_TYPE["StringIO"]),
)


def by_attributes(used: frozenset[str]) -> str | None:
    """The ordinary object that has every attribute in `used`, None where `used` is empty or nothing has them all."""
    if not used:
        return None
    for sample, expression in _DUCKS:
        if used <= set(dir(sample)):
            return expression
    return None


def imports_of(expression: str) -> list[str]:
    """The modules of the tables that an expression names, sorted."""
    return [module for module in MODULES if re.search(rf"(?<![\w.]){re.escape(module)}\.", expression)]
