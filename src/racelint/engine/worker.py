"""The process that parses: reads requests on its standard input, answers on its standard output, until that ends.

Every parse happens in such a process, so that a crash of a native parser costs one file and never the scan. Messages
are MessagePack behind a length of four bytes, little end first.
"""

from __future__ import annotations

import gc
import importlib
import os
import struct
import sys
from functools import cached_property
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from racelint.engine.stack import call_with_deep_stack
from racelint.model.summary import ModuleSummary

if TYPE_CHECKING:
    from racelint.syntax.source import UnreadableSource

_LENGTH = struct.Struct("<I")


class Request(msgspec.Struct, array_like=True):
    """One file to summarize, or only to `check` for being readable; `display` is its path for messages.

    `reported` are lines with findings: what holds them is read with LibCST.
    """

    display: str
    source: bytes
    check: bool
    reported: tuple[int, ...] = ()


class Reply(msgspec.Struct, array_like=True, dict=True):
    """The encoded ModuleSummary, or why there is none.

    `unreadable` is (message, line, column) where the file is to blame, `failure` the error where racelint is. A reply
    with none of them says that a file that was only checked is readable, or that LibCST reads it as Python does.
    One that is not `lasting` may be another the next time, as where memory ended: it is not remembered.
    """

    summary: bytes = b""
    unreadable: tuple[str, int, int] | None = None
    failure: str = ""
    lasting: bool = True

    @cached_property
    def decoded(self) -> ModuleSummary:
        """The summary itself; a reply that was made in this process has it from the start."""
        return msgspec.msgpack.decode(self.summary, type=ModuleSummary)


def write_message(stream: BinaryIO, message: Request | Reply) -> None:
    """Write one message and flush. Raises BrokenPipeError where the reader has gone."""
    body = msgspec.msgpack.encode(message)
    stream.write(_LENGTH.pack(len(body)))
    stream.write(body)
    stream.flush()


def read_message(stream: BinaryIO) -> bytes | None:
    """The body of the next message; None where the stream ended."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    body = stream.read(length)
    return body if len(body) == length else None


def answer(request: Request) -> Reply:
    """Summarize or check one file; every failure becomes a reply."""
    from racelint.summarize import resummarize, summarize_source
    from racelint.syntax.quick import read
    from racelint.syntax.source import UnreadableSource, too_much

    try:
        if request.check:
            read(request.source, request.display)
            return Reply()
        if not request.reported:
            return _holding(summarize_source(request.source, request.display))
        again = resummarize(request.source, request.display, request.reported)
        return _holding(again) if again is not None else Reply()
    except UnreadableSource as error:
        return _unreadable(error)
    except (RecursionError, MemoryError) as error:
        return _unreadable(too_much(error))
    except Exception as error:
        return Reply(failure=describe(error))


def _holding(summary: ModuleSummary) -> Reply:
    reply = Reply(msgspec.msgpack.encode(summary))
    reply.decoded = summary
    return reply


def _unreadable(error: UnreadableSource) -> Reply:
    return Reply(unreadable=(error.message, error.line, error.column), lasting=error.lasting)


def describe(error: BaseException) -> str:
    """An unexpected error in one line, with the place in racelint that raised it."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


def serve() -> None:
    """Answer requests until the input ends. Whatever prints meanwhile cannot disturb the answers."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    importlib.import_module("racelint.summarize")  # slow, so before the first request is waited for
    write_message(replies, Reply())
    decoder = msgspec.msgpack.Decoder(Request)
    gc.freeze()
    gc.disable()  # trees of many thousand nodes without a cycle: looking for one costs a quarter of the time
    while (body := read_message(requests)) is not None:
        write_message(replies, answer(decoder.decode(body)))
        gc.collect()


def main() -> None:
    """Entry point of the process; an interrupt ends it without a traceback."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        call_with_deep_stack(serve)
    except BrokenPipeError:
        os._exit(0)
    sys.exit(0)
