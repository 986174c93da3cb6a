"""Sockets that need no network: a scenario whose client would connect somewhere asks for them in its set-up."""

from __future__ import annotations

import _socket
import os
import socket
from typing import Any

from .control import Control


class Answerless(socket.socket):
    """Connects to anybody, sends what it is given to nobody, and has been told nothing when it is asked to receive.

    It keeps a real descriptor, which is ready to write and has nothing to read, so that `select` and `poll` go on.
    """

    def connect(self, address: Any) -> None:
        here, self._peer = _socket.socketpair()
        os.dup2(here.fileno(), self.fileno())
        here.close()
        self._address = address

    def connect_ex(self, address: Any) -> int:
        self.connect(address)
        return 0

    def getpeername(self) -> Any:
        return self._address

    def setsockopt(self, *args: Any) -> None:
        return None

    def send(self, data: Any, *args: Any) -> int:
        return memoryview(data).nbytes

    def sendall(self, data: Any, *args: Any) -> None:
        return None

    def sendto(self, data: Any, *args: Any) -> int:
        return memoryview(data).nbytes

    def recv(self, *args: Any) -> bytes:
        return b""

    def recvfrom(self, *args: Any) -> tuple[bytes, Any]:
        return b"", ("127.0.0.1", 0)

    def recv_into(self, *args: Any) -> int:
        return 0


def without_network(control: Control) -> None:
    """For this execution, every new socket is one of these, and every name has an address."""
    real = {"socket": socket.socket, "getaddrinfo": socket.getaddrinfo}
    control.undo.append(lambda: vars(socket).update(real))
    vars(socket).update(socket=Answerless, getaddrinfo=_address_of)


def _address_of(host: Any, port: Any, *args: Any, **kwargs: Any) -> list[tuple[Any, ...]]:
    number = port if isinstance(port, int) else 0
    return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", number))]
