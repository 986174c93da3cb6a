"""What runs coroutines as tasks, by dotted name: asyncio, and what is built like it."""

from __future__ import annotations

TASK_MAKERS: frozenset[str] = frozenset(
    {
        *("asyncio.create_task", "asyncio.ensure_future", "asyncio.async", "asyncio.tasks.create_task"),
        *("asyncio.tasks.ensure_future", "asyncio.run_coroutine_threadsafe", "curio.spawn"),
    }
)
"""Functions that start one task of what they are given."""

TASK_MAKING_METHODS: frozenset[str] = frozenset({"create_task", "start_soon", "ensure_future", "spawn", "add_callback"})
"""Methods of loops, task groups and nurseries that start a task, whatever their receiver."""

GATHERERS: frozenset[str] = frozenset(
    {"asyncio.gather", "asyncio.wait", "asyncio.as_completed", "asyncio.tasks.gather", "tornado.gen.multi"}
)
"""Functions that run all that they are given side by side."""

RUNNERS: frozenset[str] = frozenset(
    {"asyncio.run", "asyncio.runners.run", "anyio.run", "trio.run", "uvloop.run", "curio.run"}
)
"""Functions that run one coroutine to its end, as the only one at first."""

SERVERS: frozenset[str] = frozenset(
    {"asyncio.start_server", "asyncio.start_unix_server", "websockets.serve", "anyio.serve", "trio.serve_tcp"}
)
"""Functions that run a coroutine function for each client, many at once."""

RUNNING_METHODS: frozenset[str] = frozenset({"run_until_complete"})
"""Methods that run one coroutine to its end."""

ENDINGS: frozenset[str] = frozenset(
    {"aclose", "cleanup", "close", "disconnect", "exit", "kill", "logout", "reset", "shutdown", "stop", "teardown"}
    | {"terminate", "wait_closed", "__aexit__"}
)
"""Methods that end an object's life."""

PROTOCOL = frozenset({"__aenter__", "__aexit__", "__aiter__", "__anext__", "__await__", "__call__", "__init__"})
"""Coroutine methods that the language, or a framework, calls for one task at a time."""
OWNER_CALLED: frozenset[str] = ENDINGS | frozenset(
    {"asyncSetUp", "bootstrap", "connect", "init", "initialize", "join", "launch", "login", "main", "open", "prepare"}
    | {"run", "serve", "setup", "start", "startup"}
)
"""Methods that begin or end an object's life, or are it: its owner awaits them by itself, once."""

FOR_ONE_TASK: tuple[str, ...] = (
    *("Context", "Cursor", "Event", "Handshake", "Interaction", "Iterator", "Message", "Parser", "Payload", "Pipeline"),
    *("Protocol", "Reader", "Request", "Response", "Stream", "Transaction", "Writer"),
)
"""Endings of the names of classes whose objects by custom belong to one task: nobody shares a cursor."""

TASKS_KEPT_BY: frozenset[str] = frozenset(
    {"asyncio.TaskGroup", "anyio.create_task_group", "trio.open_nursery", "asyncio.taskgroups.TaskGroup"}
)
"""Objects that keep the tasks that they start."""

LOOP_TYPE = "asyncio.AbstractEventLoop"

LOOP_RUNS: frozenset[str] = frozenset({"run_forever", "run_until_complete", "run_sync"})
"""Methods of a loop that make the calling thread its own."""

LOOP_ONLY: dict[str, str] = {
    **dict.fromkeys(
        ("call_soon", "call_later", "call_at", "stop", "add_reader", "remove_reader"), "call_soon_threadsafe"
    ),
    **dict.fromkeys(("add_writer", "remove_writer", "add_signal_handler"), "call_soon_threadsafe"),
    **dict.fromkeys(("create_task", "ensure_future"), "asyncio.run_coroutine_threadsafe"),
}
"""Methods of a loop that only its own thread may call, with what the others call."""

OWNED_BY_LOOP: dict[str, frozenset[str]] = {
    "asyncio.Event": frozenset({"set", "clear"}),
    "asyncio.Queue": frozenset({"put_nowait", "get_nowait", "task_done"}),
    "asyncio.LifoQueue": frozenset({"put_nowait", "get_nowait", "task_done"}),
    "asyncio.PriorityQueue": frozenset({"put_nowait", "get_nowait", "task_done"}),
    "asyncio.Future": frozenset({"set_result", "set_exception", "cancel"}),
    "asyncio.Task": frozenset({"cancel"}),
    "asyncio.Condition": frozenset({"notify", "notify_all"}),
    "asyncio.Lock": frozenset({"release"}),
    "asyncio.Semaphore": frozenset({"release"}),
}
"""Methods of what belongs to a loop that only the loop's thread may call: they wake its tasks."""

PROTOCOLS: frozenset[str] = frozenset(
    f"asyncio.{module}{kind}Protocol"
    for module in ("", "protocols.")
    for kind in ("Base", "", "Datagram", "Buffered", "Subprocess")
)
PROTOCOL_METHODS: frozenset[str] = frozenset(
    {"connection_made", "connection_lost", "data_received", "eof_received", "datagram_received", "error_received"}
    | {"pause_writing", "resume_writing", "get_buffer", "buffer_updated", "process_exited"}
    | {"pipe_data_received", "pipe_connection_lost"}
)
"""What the transports of an event loop call, of objects of these classes."""
