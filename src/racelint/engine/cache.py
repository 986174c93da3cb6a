"""What earlier scans worked out, in one SQLite file under the project: a table of values by the hash of what made them.

Whatever is wrong with the file costs time and one warning, never a finding: a value that cannot be read, or is not what
was written, counts as missing.
"""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from hashlib import blake2b
from typing import TypeVar

FOLDER = ".racelint_cache"
KEPT_DAYS = 14
"""Entries that no scan has asked for in so many days are dropped."""

_FILE = "cache-1.sqlite"
"""With the number of the table's form, so that another form never meets this one."""
_SCHEMA = "CREATE TABLE IF NOT EXISTS entry (key BLOB PRIMARY KEY, value BLOB NOT NULL, used INTEGER NOT NULL)"
_CHECKED = 16
_WAIT = 2.0
"""Seconds to wait for another scan that is writing."""
_CHUNK = 500
_PRUNED = b"pruned"
_GITIGNORE = "# Made by racelint.\n*\n"

Answer = TypeVar("Answer")


def key_of(*parts: str | bytes) -> bytes:
    """A name for what is computed from `parts`."""
    digest = blake2b(digest_size=16)
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.digest()


def content_key(content: bytes) -> bytes:
    """A name for what a file holds."""
    return blake2b(content, digest_size=16).digest()


class Cache:
    """Values by key, in `folder`, and in `kept` for those who share it; remembers nothing where there is neither."""

    def __init__(self, folder: str | None, kept: dict[bytes, bytes] | None = None) -> None:
        self.folder = folder
        self._kept = kept
        self.complaint = ""
        """Why the cache is of no use, or was started anew; empty where all is well."""
        self._connection: sqlite3.Connection | None = None
        self._stale: list[bytes] = []
        self._today = int(time.time() // 86400)

    def get(self, keys: Collection[bytes]) -> dict[bytes, bytes]:
        """The values that are known, by key."""
        kept = self._kept or {}
        found = {key: kept[key] for key in keys if key in kept}
        wanted = [key for key in dict.fromkeys(keys) if key not in found]

        def read(connection: sqlite3.Connection) -> None:
            for start in range(0, len(wanted), _CHUNK):
                chunk = wanted[start : start + _CHUNK]
                marks = ",".join("?" * len(chunk))
                for key, value, used in connection.execute(
                    f"SELECT key, value, used FROM entry WHERE key IN ({marks})", chunk
                ):
                    known = _unpacked(value)
                    if known is not None:
                        found[key] = known
                    if not isinstance(used, int) or used < self._today:
                        self._stale.append(key)

        if wanted:
            self._do(read)
            self._keep({key: found[key] for key in wanted if key in found})
        return found

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Remember values, all of them or none."""
        self._keep(entries)
        if self.folder is None:
            return
        rows = [(key, _packed(value), self._today) for key, value in entries.items()]

        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", rows)
                self._prune(connection)

        if rows:
            self._do(write)

    def _keep(self, entries: Mapping[bytes, bytes]) -> None:
        if self._kept is not None:
            self._kept.update(entries)

    def close(self) -> None:
        """Note what was used, and let go of the file."""
        stale, self._stale = self._stale, []

        def touch(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("UPDATE entry SET used = ? WHERE key = ?", [(self._today, key) for key in stale])

        if stale and self._connection is not None:
            self._do(touch)
        self._disconnect()

    def _prune(self, connection: sqlite3.Connection) -> None:
        """Once a day, drop what is no longer asked for."""
        row = connection.execute("SELECT used FROM entry WHERE key = ?", (_PRUNED,)).fetchone()
        if row is None or row[0] != self._today:
            connection.execute("DELETE FROM entry WHERE used < ?", (self._today - KEPT_DAYS,))
            connection.execute("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)", (_PRUNED, b"", self._today))

    def _do(self, act: Callable[[sqlite3.Connection], Answer]) -> None:
        """Act on the open database; a damaged one is replaced, anything else ends its use for this scan."""
        if self.folder is None:
            return
        try:
            try:
                act(self._connected())
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # SQLite quotes what is damaged
                if isinstance(error, sqlite3.Error) and type(error) is not sqlite3.DatabaseError:
                    raise  # its subclasses tell of trouble outside of the file
                self._start_anew()
                act(self._connected())
        except (sqlite3.Error, OSError) as error:
            if "locked" not in str(error):  # another scan is at it: it has the same to write
                self.complaint = f"the cache in {self.folder} cannot be used: {_reason(error)}"
            self._disconnect()
            self.folder = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            assert self.folder is not None
            _make(self.folder)
            connection = self._connection = sqlite3.connect(
                os.path.join(self.folder, _FILE),
                timeout=_WAIT,
                isolation_level=None,
                check_same_thread=False,  # a scan moves to a thread with a deep stack, and waits for it
            )
            connection.text_factory = bytes  # we write no text: what looks like it is damaged, and may not be decoded
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_SCHEMA)
        return self._connection

    def _start_anew(self) -> None:
        self._disconnect()
        assert self.folder is not None
        remove(self.folder)
        self.complaint = f"the cache in {self.folder} was damaged and has been started anew"

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except sqlite3.Error:
                return


def remove(folder: str) -> bool:
    """Delete the cache in `folder`, and the folder if it is empty then and no link; whether there was one.

    Raises OSError.
    """
    found = False
    for name in (_FILE, f"{_FILE}-wal", f"{_FILE}-shm", f"{_FILE}-journal", ".gitignore"):
        try:
            os.remove(os.path.join(folder, name))
            found = True
        except (FileNotFoundError, NotADirectoryError):
            continue
    if found and not os.path.islink(folder) and not os.listdir(folder):
        os.rmdir(folder)
    return found


def _make(folder: str) -> None:
    if os.path.isdir(folder):
        return
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".gitignore"), "w", encoding="utf-8") as stream:
        stream.write(_GITIGNORE)


def _packed(value: bytes) -> bytes:
    packed = zlib.compress(value, 1)
    return blake2b(packed, digest_size=_CHECKED).digest() + packed


def _unpacked(stored: object) -> bytes | None:
    """The value; None where it is not what was written."""
    if not isinstance(stored, bytes):
        return None
    check, packed = stored[:_CHECKED], stored[_CHECKED:]
    if blake2b(packed, digest_size=_CHECKED).digest() != check:
        return None
    try:
        return zlib.decompress(packed)
    except zlib.error:
        return None


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)
