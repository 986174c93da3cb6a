"""What a framework does before code of its users runs: it reads its settings, and makes an object for each request."""

from __future__ import annotations

SETTINGS = {
    "settings are not configured": (
        "import django.conf",
        "django.conf.settings.configured or django.conf.settings.configure()",
    ),
    "Apps aren't loaded yet": ("import django", "django.setup()"),
}
"""By what a framework says where that was not done: the statements that do it, with the settings that it has itself."""

HANDLERS = frozenset(
    {
        "BaseRequestHandler",
        "StreamRequestHandler",
        "DatagramRequestHandler",
        "BaseHTTPRequestHandler",
        "SimpleHTTPRequestHandler",
        "CGIHTTPRequestHandler",
        "SimpleXMLRPCRequestHandler",
    }
)
"""Base classes whose constructor serves the request at once, so that an object cannot be made and called after."""

_REQUEST = """\
def make_server_of_{name}():
    for kind in vars(target).values():
        if isinstance(kind, type) and issubclass(kind, socketserver.BaseServer) and kind.__module__ == target.__name__:
            quiet = type(kind.__name__, (kind,), dict.fromkeys(("server_bind", "server_activate"), lambda self: None))
            try:
                return quiet(("127.0.0.1", 0), {reference})
            except Exception:
                return quiet.__new__(quiet)
    return types.SimpleNamespace()
server_of_{name} = make_server_of_{name}()
def {maker}():
    made = {reference}.__new__({reference})
    made.rfile, made.wfile = io.BytesIO(b"data"), io.BytesIO()
    made.command, made.path, made.request_version = "GET", "/", "HTTP/1.1"
    made.requestline, made.headers, made.close_connection = "GET / HTTP/1.1", {{"Content-Length": "4"}}, True
    made.client_address, made.server = ("127.0.0.1", 1), server_of_{name}
    made.request = types.SimpleNamespace(recv=lambda size: b"data", sendall=lambda data: None)
    return made"""


def request_maker(name: str, reference: str) -> tuple[str, str]:
    """The set-up that defines a maker of handlers of the class `reference`, and the expression that makes one."""
    maker = f"make_{name}_for_a_request"
    return _REQUEST.format(maker=maker, name=name, reference=reference), f"{maker}()"
