"""Calls that make the calling thread wait, by dotted name of the function or of the receiver's type."""

from __future__ import annotations

from typing import Literal

import msgspec

BlockingKind = Literal["sleep", "network", "process", "wait", "database", "input", "file"]


class Blocking(msgspec.Struct, frozen=True):
    """`instead` is what a coroutine awaits in its place, empty where there is nothing but a thread.

    `timeout`: the position of an argument that bounds the wait (-1: keyword `timeout` alone).
    """

    kind: BlockingKind
    instead: str = ""
    timeout: int = -1


_NETWORK = Blocking("network")
_PROCESS = Blocking("process", "asyncio.create_subprocess_exec")
_DATABASE = Blocking("database")
_FILE = Blocking("file")

BLOCKING_FUNCTIONS: dict[str, Blocking] = {
    "time.sleep": Blocking("sleep", "asyncio.sleep"),
    "builtins.input": Blocking("input"),
    "select.select": Blocking("wait"),
    "concurrent.futures.as_completed": Blocking("wait", "asyncio.as_completed", 1),
    "signal.pause": Blocking("wait"),
    "signal.sigwait": Blocking("wait"),
    "socket.create_connection": Blocking("network", "asyncio.open_connection"),
    "socket.getaddrinfo": Blocking("network", "loop.getaddrinfo"),
    "socket.gethostbyname": Blocking("network", "loop.getaddrinfo"),
    "socket.gethostbyname_ex": Blocking("network", "loop.getaddrinfo"),
    "socket.gethostbyaddr": Blocking("network", "loop.getnameinfo"),
    "concurrent.futures.wait": Blocking("wait", "asyncio.wait"),
    "multiprocessing.connection.wait": Blocking("wait"),
    **{f"subprocess.{name}": _PROCESS for name in ("run", "call", "check_call", "check_output", "getoutput")},
    **{f"subprocess.{name}": _PROCESS for name in ("getstatusoutput",)},
    **{f"os.{name}": _PROCESS for name in ("system", "wait", "waitpid", "wait3", "wait4", "popen")},
    **{
        f"requests.{name}": _NETWORK for name in ("get", "post", "put", "patch", "delete", "head", "options", "request")
    },
    **{f"httpx.{name}": Blocking("network", "httpx.AsyncClient") for name in ("get", "post", "put", "patch", "delete")},
    **{f"httpx.{name}": Blocking("network", "httpx.AsyncClient") for name in ("head", "options", "request", "stream")},
    "urllib.request.urlopen": _NETWORK,
    "urllib.request.urlretrieve": _NETWORK,
    "urllib2.urlopen": _NETWORK,
    "psycopg2.connect": _DATABASE,
    "psycopg.connect": _DATABASE,
    "pymysql.connect": _DATABASE,
    "MySQLdb.connect": _DATABASE,
    "mysql.connector.connect": _DATABASE,
    "cx_Oracle.connect": _DATABASE,
    "oracledb.connect": _DATABASE,
    "pyodbc.connect": _DATABASE,
    "builtins.open": _FILE,
    "io.open": _FILE,
    "codecs.open": _FILE,
    **{f"shutil.{name}": _FILE for name in ("copy", "copy2", "copyfile", "copytree", "move", "rmtree")},
    **{f"shutil.{name}": _FILE for name in ("make_archive", "unpack_archive")},
}
"""Functions; `file` is what a local disk mostly answers at once."""

_METHODS: dict[str, tuple[Blocking, str]] = {
    "threading.Thread": (Blocking("wait", "asyncio.to_thread", 0), "join"),
    "threading.Timer": (Blocking("wait", "asyncio.to_thread", 0), "join"),
    "threading.Event": (Blocking("wait", "asyncio.Event", 0), "wait"),
    "threading.Condition": (Blocking("wait", "asyncio.Condition", 0), "wait wait_for"),
    "threading.Barrier": (Blocking("wait", "asyncio.Barrier", 0), "wait"),
    "multiprocessing.Process": (Blocking("wait", "", 0), "join"),
    "multiprocessing.Event": (Blocking("wait", "", 0), "wait"),
    "multiprocessing.Pool": (Blocking("wait"), "map starmap apply join terminate"),
    "multiprocessing.pool.ThreadPool": (Blocking("wait"), "map starmap apply join terminate"),
    "multiprocessing.pool.AsyncResult": (Blocking("wait", "", 0), "get wait"),
    "multiprocessing.connection.Connection": (Blocking("wait"), "recv recv_bytes"),
    "concurrent.futures.Future": (Blocking("wait", "asyncio.wrap_future", 0), "result exception"),
    "concurrent.futures.ThreadPoolExecutor": (Blocking("wait"), "shutdown"),
    "concurrent.futures.ProcessPoolExecutor": (Blocking("wait"), "shutdown"),
    "queue.Queue": (Blocking("wait", "asyncio.Queue", 1), "get join"),
    "queue.LifoQueue": (Blocking("wait", "asyncio.LifoQueue", 1), "get join"),
    "queue.PriorityQueue": (Blocking("wait", "asyncio.PriorityQueue", 1), "get join"),
    "queue.SimpleQueue": (Blocking("wait", "asyncio.Queue", 1), "get"),
    "multiprocessing.Queue": (Blocking("wait", "", 1), "get"),
    "multiprocessing.JoinableQueue": (Blocking("wait", "", 1), "get join"),
    "multiprocessing.SimpleQueue": (Blocking("wait"), "get"),
    "subprocess.Popen": (Blocking("process", "asyncio.create_subprocess_exec", -1), "wait communicate"),
    "socket.socket": (_NETWORK, "accept connect recv recvfrom recv_into sendall"),
    "socket.create_connection": (_NETWORK, "recv recvfrom recv_into sendall"),
    "http.client.HTTPConnection": (_NETWORK, "connect request getresponse"),
    "http.client.HTTPSConnection": (_NETWORK, "connect request getresponse"),
    "smtplib.SMTP": (_NETWORK, "connect login send_message sendmail"),
    "smtplib.SMTP_SSL": (_NETWORK, "connect login send_message sendmail"),
    "ftplib.FTP": (_NETWORK, "connect login retrbinary storbinary"),
    "requests.Session": (_NETWORK, "get post put patch delete head options request send"),
    "requests.session": (_NETWORK, "get post put patch delete head options request send"),
    "requests.sessions.Session": (_NETWORK, "get post put patch delete head options request send"),
    "httpx.Client": (Blocking("network", "httpx.AsyncClient"), "get post put patch delete head options request send"),
    "urllib3.PoolManager": (_NETWORK, "request urlopen"),
    "sqlite3.connect": (_DATABASE, "execute executemany executescript commit"),
    "sqlite3.Connection": (_DATABASE, "execute executemany executescript commit"),
    "psycopg2.connect": (_DATABASE, "commit"),
    "redis.Redis": (_NETWORK, "get set delete publish execute_command hget hset lpush rpush blpop brpop"),
    "redis.StrictRedis": (_NETWORK, "get set delete publish execute_command hget hset lpush rpush blpop brpop"),
}
BLOCKING_METHODS: dict[tuple[str, str], Blocking] = {
    (owner, name): blocking for owner, (blocking, names) in _METHODS.items() for name in names.split()
}
"""Methods by type of their receiver and name."""

_NETWORK_KIND: BlockingKind = "network"
AWAITED_FUNCTIONS: dict[str, BlockingKind] = {
    "asyncio.sleep": "sleep",
    "asyncio.open_connection": _NETWORK_KIND,
    "asyncio.open_unix_connection": _NETWORK_KIND,
    "asyncio.create_subprocess_exec": "process",
    "asyncio.create_subprocess_shell": "process",
}
"""Functions that other tasks run beside, but not those that want a lock which is held meanwhile."""

AWAITED_METHODS: dict[tuple[str, str], BlockingKind] = {
    **{("asyncio.StreamReader", name): _NETWORK_KIND for name in ("read", "readline", "readexactly", "readuntil")},
    ("asyncio.StreamWriter", "drain"): _NETWORK_KIND,
    ("asyncio.StreamWriter", "wait_closed"): _NETWORK_KIND,
    **{("aiohttp.ClientSession", name): _NETWORK_KIND for name in ("get", "post", "put", "delete", "request")},
    **{("httpx.AsyncClient", name): _NETWORK_KIND for name in ("get", "post", "put", "delete", "request", "send")},
}

KEYBOARD: frozenset[str] = frozenset({"builtins.input", "sys.stdin.readline", "sys.stdin.read"})
"""What waits for the person at the keyboard."""
