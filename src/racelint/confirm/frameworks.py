"""Objects that a framework makes, one for each request, on the thread that serves it: made here without its server."""

from __future__ import annotations

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
def {maker}():
    made = {reference}.__new__({reference})
    made.rfile, made.wfile = io.BytesIO(b"data"), io.BytesIO()
    made.command, made.path, made.request_version = "GET", "/", "HTTP/1.1"
    made.requestline, made.headers, made.close_connection = "GET / HTTP/1.1", {{"Content-Length": "4"}}, True
    made.client_address, made.server = ("127.0.0.1", 1), types.SimpleNamespace()
    made.request = types.SimpleNamespace(recv=lambda size: b"data", sendall=lambda data: None)
    return made"""


def request_maker(name: str, reference: str) -> tuple[str, str]:
    """The set-up that defines a maker of handlers of the class `reference`, and the expression that makes one."""
    maker = f"make_{name}_for_a_request"
    return _REQUEST.format(maker=maker, reference=reference), f"{maker}()"
