"""What starts a thread of execution, by the dotted name of what is called."""

from __future__ import annotations

from typing import Literal

import msgspec

RootKind = Literal[
    "thread", "timer", "pool", "process", "handler", "signal", "finalizer", "task", "greenlet", "callback"
]
"""A greenlet gives way only where it waits: no step or compound of steps is torn apart, unlike a thread's."""


class Starter(msgspec.Struct, frozen=True):
    """`target` is the index and keyword of the function that runs; `args` of its arguments (-1: the rest of the call).

    `deferred`: nothing runs before `.start()`. `many`: several run at once (map).
    """

    kind: RootKind
    target: int
    keyword: str
    args: int
    deferred: bool = False
    many: bool = False


_THREAD = Starter("thread", 1, "target", 3, deferred=True)
_PROCESS = Starter("process", 1, "target", 3, deferred=True)

STARTERS: dict[str, Starter] = {
    "threading.Thread": _THREAD,
    "threading._Timer": Starter("timer", 1, "function", 2, deferred=True),
    "threading.Timer": Starter("timer", 1, "function", 2, deferred=True),
    "_thread.start_new_thread": Starter("thread", 0, "function", 1),
    "_thread.start_new": Starter("thread", 0, "function", 1),
    "thread.start_new_thread": Starter("thread", 0, "function", 1),
    "asyncio.to_thread": Starter("pool", 0, "func", -1),
    "anyio.to_thread.run_sync": Starter("pool", 0, "func", -1),
    "trio.to_thread.run_sync": Starter("pool", 0, "sync_fn", -1),
    "starlette.concurrency.run_in_threadpool": Starter("pool", 0, "func", -1),
    "fastapi.concurrency.run_in_threadpool": Starter("pool", 0, "func", -1),
    "twisted.internet.threads.deferToThread": Starter("pool", 0, "f", -1),
    "gevent.spawn": Starter("greenlet", 0, "function", -1),
    "eventlet.spawn": Starter("greenlet", 0, "func", -1),
    "multiprocessing.Process": _PROCESS,
    "multiprocessing.context.Process": _PROCESS,
    "multiprocessing.process.BaseProcess": _PROCESS,
    "signal.signal": Starter("signal", 1, "handler", -2),
    "atexit.register": Starter("callback", 0, "func", -1),
    "weakref.finalize": Starter("finalizer", 1, "func", -1),
    "asyncio.create_task": Starter("task", 0, "coro", -2),
    "asyncio.ensure_future": Starter("task", 0, "coro_or_future", -2),
    "asyncio.run_coroutine_threadsafe": Starter("task", 0, "coro", -2),
}

METHOD_STARTERS: dict[tuple[str, str], Starter] = {
    ("concurrent.futures.ThreadPoolExecutor", "submit"): Starter("pool", 0, "fn", -1),
    ("concurrent.futures.ThreadPoolExecutor", "map"): Starter("pool", 0, "fn", -1, many=True),
    ("concurrent.futures.ProcessPoolExecutor", "submit"): Starter("process", 0, "fn", -1),
    ("concurrent.futures.ProcessPoolExecutor", "map"): Starter("process", 0, "fn", -1, many=True),
    ("multiprocessing.pool.ThreadPool", "apply_async"): Starter("pool", 0, "func", 1),
    ("multiprocessing.pool.ThreadPool", "apply"): Starter("pool", 0, "func", 1),
    ("multiprocessing.Pool", "apply_async"): Starter("process", 0, "func", 1),
    ("multiprocessing.Pool", "apply"): Starter("process", 0, "func", 1),
    ("concurrent.futures.Future", "add_done_callback"): Starter("pool", 0, "fn", -2),
    ("apscheduler.schedulers.background.BackgroundScheduler", "add_job"): Starter("pool", 0, "func", -2),
    ("asyncio.AbstractEventLoop", "run_in_executor"): Starter("pool", 1, "func", -1),
    ("asyncio.AbstractEventLoop", "create_task"): Starter("task", 0, "coro", -2),
}
for _pool, _kind in (("multiprocessing.pool.ThreadPool", "pool"), ("multiprocessing.Pool", "process")):
    for _name in ("map", "imap", "imap_unordered", "starmap", "map_async", "starmap_async"):
        METHOD_STARTERS[(_pool, _name)] = Starter("process" if _kind == "process" else "pool", 0, "func", -1, many=True)

NAMED_STARTERS: dict[str, Starter] = {
    "run_in_executor": Starter("pool", 1, "func", -1),
    "call_soon_threadsafe": Starter("task", 0, "callback", -1),
    "add_done_callback": Starter("callback", 0, "fn", -2),
    "submit": Starter("pool", 0, "fn", -1),
}
"""Methods whose name alone says enough where the receiver's type is not known."""

SAME_OBJECT: dict[str, str] = {
    "threading._Timer": "threading.Timer",
    "eventlet.green.threading.Condition": "threading.Condition",
    "concurrent.futures.thread.ThreadPoolExecutor": "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures.process.ProcessPoolExecutor": "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.Executor": "concurrent.futures.ThreadPoolExecutor",
    "concurrent.futures._base.Executor": "concurrent.futures.ThreadPoolExecutor",
    "multiprocessing.dummy.Pool": "multiprocessing.pool.ThreadPool",
    "multiprocessing.dummy.Process": "threading.Thread",
    "multiprocessing.pool.Pool": "multiprocessing.Pool",
    "multiprocessing.context.Process": "multiprocessing.Process",
    "multiprocessing.process.BaseProcess": "multiprocessing.Process",
    "multiprocessing.sharedctypes.Value": "multiprocessing.Value",
    "multiprocessing.sharedctypes.Array": "multiprocessing.Array",
    "multiprocessing.queues.Queue": "multiprocessing.Queue",
    "Queue.Queue": "queue.Queue",
    "SocketServer.ThreadingMixIn": "socketserver.ThreadingMixIn",
    "SocketServer.BaseRequestHandler": "socketserver.BaseRequestHandler",
    "SocketServer.StreamRequestHandler": "socketserver.StreamRequestHandler",
    "BaseHTTPServer.BaseHTTPRequestHandler": "http.server.BaseHTTPRequestHandler",
    "thread.allocate_lock": "_thread.allocate_lock",
    "six.moves.queue.Queue": "queue.Queue",
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.events.get_event_loop": "asyncio.AbstractEventLoop",
    "six.moves._thread.allocate_lock": "_thread.allocate_lock",
    "asyncio.locks.Lock": "asyncio.Lock",
    "asyncio.locks.Condition": "asyncio.Condition",
}
"""Names of one thing, and what a call of the key makes: an object of the value."""

THREAD_BASES: dict[str, RootKind] = {
    "threading.Thread": "thread",
    "threading.Timer": "timer",
    "multiprocessing.Process": "process",
    "PyQt5.QtCore.QThread": "thread",
    "PySide6.QtCore.QThread": "thread",
}
"""Classes whose `run` is a thread root."""

HANDLER_BASES: dict[str, tuple[str, ...]] = {
    "socketserver.BaseRequestHandler": ("handle", "setup", "finish"),
    "socketserver.StreamRequestHandler": ("handle", "setup", "finish"),
    "socketserver.DatagramRequestHandler": ("handle", "setup", "finish"),
    "http.server.BaseHTTPRequestHandler": ("do_*", "handle"),
    "http.server.SimpleHTTPRequestHandler": ("do_*", "handle"),
    "watchdog.events.FileSystemEventHandler": ("on_*", "dispatch"),
    "xmlrpc.server.SimpleXMLRPCRequestHandler": ("do_*", "handle"),
}
"""Classes whose methods a server calls, each request on an instance of its own."""

_CONNECTION = frozenset({"client_address", "request", "connection"})
OF_ONE_CONNECTION: dict[str, frozenset[str]] = {
    "socketserver.StreamRequestHandler": _CONNECTION,
    "http.server.BaseHTTPRequestHandler": _CONNECTION,
    "http.server.SimpleHTTPRequestHandler": _CONNECTION,
    "xmlrpc.server.SimpleXMLRPCRequestHandler": _CONNECTION,
}
"""Attributes of such an instance that no other one has while its connection is open."""

VIEW_BASES: frozenset[str] = frozenset(
    {
        *("django.views.View", "django.views.generic.View", "django.views.generic.base.View"),
        *("django.views.generic.TemplateView", "django.views.generic.ListView", "django.views.generic.DetailView"),
        *("django.views.generic.CreateView", "django.views.generic.UpdateView", "django.views.generic.FormView"),
        *("flask.views.MethodView", "flask.views.View", "rest_framework.views.APIView"),
    }
)
VIEW_METHODS: frozenset[str] = frozenset({"get", "post", "put", "patch", "delete", "dispatch", "dispatch_request"})
"""Classes of web frameworks whose methods run on the server's threads, each request on an instance of its own."""

MIDDLEWARE_PARAMETER = "get_response"
"""What Django hands to the constructor of a middleware: its one object is called by all threads."""

SELF_THREADED_HANDLERS: frozenset[str] = frozenset({"watchdog.events.FileSystemEventHandler"})
"""Handlers that run on a thread of their library, with no server in sight."""

ROUTE_DECORATORS: frozenset[str] = frozenset(
    {"route", "get", "post", "put", "patch", "delete", "before_request", "after_request", "errorhandler", "task"}
    | {"endpoint", "websocket", "scheduled_job", "shared_task"}
)
ROUTERS: frozenset[str] = frozenset(
    {"flask.Flask", "flask.Blueprint", "fastapi.FastAPI", "fastapi.APIRouter", "bottle.Bottle", "bottle.route"}
    | {"flask.app.Flask", "flask.blueprints.Blueprint", "quart.Quart"}
)
"""Web applications whose view functions run on many threads at once (coroutines do not)."""

THREADED_SERVERS: frozenset[str] = frozenset(
    {
        "socketserver.ThreadingMixIn",
        "socketserver.ThreadingTCPServer",
        "socketserver.ThreadingUDPServer",
        "http.server.ThreadingHTTPServer",
        "wsgiref.simple_server.make_server",
    }
)
"""Servers that handle every request on a thread of its own."""

QUEUES: frozenset[str] = frozenset(
    {
        "queue.Queue",
        "queue.LifoQueue",
        "queue.PriorityQueue",
        "queue.SimpleQueue",
        "multiprocessing.Queue",
        "multiprocessing.JoinableQueue",
        "multiprocessing.SimpleQueue",
        "asyncio.Queue",
        "collections.deque",
    }
)

PROCESS_CONTEXTS: frozenset[str] = frozenset(
    {"multiprocessing.get_context", "multiprocessing.context", "multiprocessing.context.BaseContext"}
)
"""Objects whose attributes are those of `multiprocessing`."""

CLOCKS: frozenset[str] = frozenset({"time.time", "time.monotonic", "time.perf_counter"})
"""What a loop asks to know when to give up."""

WAITED_FOR: dict[tuple[str, str], str] = {
    ("threading.Event", "is_set"): "wait",
    ("threading.Event", "isSet"): "wait",
    ("multiprocessing.Event", "is_set"): "wait",
    ("threading.Thread", "is_alive"): "join",
    ("threading.Thread", "isAlive"): "join",
    ("multiprocessing.Process", "is_alive"): "join",
    ("queue.Queue", "empty"): "get",
    ("concurrent.futures.Future", "done"): "result",
    ("multiprocessing.pool.AsyncResult", "ready"): "wait",
}
"""Methods that look whether something has happened, and those that wait for it."""

INSIDE_QUEUES: dict[str, str] = {
    "mutex": "threading.Lock",
    "not_empty": "threading.Condition",
    "not_full": "threading.Condition",
    "all_tasks_done": "threading.Condition",
}
"""What the queues of the `queue` module are made of, as users get at it."""

LOCKED_QUEUES: frozenset[str] = frozenset({"queue.Queue", "queue.LifoQueue", "queue.PriorityQueue"})
"""Those that have it."""

ASKED_FOR: frozenset[str] = frozenset(
    {"clear", "close", "commit", "dump", "flush", "publish", "purge", "refresh", "reload", "save", "send", "sync"}
)
"""Methods that a timer runs and users call, too, when they do not want to wait for it."""
LOOP_TURNS: tuple[str, ...] = ("loop", "run", "poll", "spin", "serve")
"""How the names of methods begin that do a turn of a loop: called instead of starting the thread that loops."""

CALLBACK_LOOPS: frozenset[str] = frozenset({"run_forever", "loop_forever", "serve_forever", "start_consuming"})
"""Methods that stay and call what was handed to their object, on the thread that calls them."""
KEEPING = (
    *("add", "append", "after", "attach", "bind", "call_", "connect", "defer", "every", "insert", "listen", "observe"),
    *("on", "partial", "push", "put", "register", "run_in", "schedule", "set", "spawn", "start", "submit", "subscribe"),
    *("create_task", "ensure_future", "watch"),
)
"""How names of functions begin that only take note of a callback: it is called later, by whom is not known."""
