"""The cache file: whatever happens to it, at most a warning and a right answer."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from racelint.engine import cache as module
from racelint.engine.cache import FOLDER, KEPT_DAYS, Cache, key_of, remove

ENTRIES = {key_of("a"): b"1" * 1000, key_of("b"): b"", key_of("c"): b"3"}


def filled(folder: Path) -> Path:
    cache = Cache(str(folder))
    cache.put(ENTRIES)
    cache.close()
    assert not cache.complaint
    return folder / "cache-1.sqlite"


def known(folder: Path, complaint: str = "", keys: Iterable[bytes] = ENTRIES) -> dict[bytes, bytes]:
    cache = Cache(str(folder))
    found = cache.get(keys)
    cache.close()
    assert complaint in cache.complaint
    assert bool(complaint) == bool(cache.complaint)
    return found


def test_what_is_put_is_found_again(tmp_path: Path) -> None:
    filled(tmp_path / FOLDER)
    assert known(tmp_path / FOLDER) == ENTRIES
    assert (tmp_path / FOLDER / ".gitignore").read_text().endswith("*\n")


def test_no_folder_remembers_nothing() -> None:
    cache = Cache(None)
    cache.put(ENTRIES)
    assert cache.get(ENTRIES) == {}


def test_what_is_kept_is_shared_without_a_folder(tmp_path: Path) -> None:
    kept: dict[bytes, bytes] = {}
    Cache(None, kept).put(ENTRIES)
    assert Cache(None, kept).get(ENTRIES) == ENTRIES
    filled(tmp_path / FOLDER)
    again: dict[bytes, bytes] = {}
    assert Cache(str(tmp_path / FOLDER), again).get(ENTRIES) == again == ENTRIES


def test_keys_tell_parts_apart() -> None:
    assert len({key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of("ab", b"c", "")}) == 4
    assert key_of("ab", "c") == key_of("ab", b"c")


def test_thousands_of_keys_are_asked_for_at_once(tmp_path: Path) -> None:
    many = {key_of(str(number)): str(number).encode() for number in range(3000)}
    cache = Cache(str(tmp_path))
    cache.put(many)
    assert cache.get(many) == many
    cache.close()


@pytest.mark.parametrize("garbage", [b"no database at all" * 300, b"SQLite format 3\0" + b"\xff" * 5000, b"\0" * 4096])
def test_a_damaged_file_is_started_anew(tmp_path: Path, garbage: bytes) -> None:
    filled(tmp_path).write_bytes(garbage)
    assert known(tmp_path, "was damaged and has been started anew") == {}
    filled(tmp_path)
    assert known(tmp_path) == ENTRIES


def test_a_damaged_table_is_started_anew(tmp_path: Path) -> None:
    file = filled(tmp_path)
    content = file.read_bytes()
    assert content.count(b"CREATE TABLE") == 1
    file.write_bytes(content.replace(b"CREATE TABLE entry", b"CREATE TAB\xffE entry"))
    assert known(tmp_path, "was damaged and has been started anew") == {}
    filled(tmp_path)
    assert known(tmp_path) == ENTRIES


def test_an_empty_file_is_an_empty_cache(tmp_path: Path) -> None:
    filled(tmp_path).write_bytes(b"")
    assert known(tmp_path) == {}


def test_a_value_that_changed_on_disk_is_missing(tmp_path: Path) -> None:
    database = sqlite3.connect(filled(tmp_path))
    for key, value in database.execute("SELECT key, value FROM entry WHERE length(value)").fetchall():
        database.execute("UPDATE entry SET value = ? WHERE key = ?", (value[:-1] + bytes([value[-1] ^ 1]), key))
    database.commit()
    database.close()
    assert known(tmp_path) == {}


@pytest.mark.parametrize("other", ["used = 'today'", "used = x'00'", "used = 1.5", "used = CAST(x'ff' AS TEXT)"])
def test_a_day_that_is_none_does_no_harm(tmp_path: Path, other: str) -> None:
    with closing(sqlite3.connect(filled(tmp_path))) as database:
        database.execute(f"UPDATE entry SET {other}")
        database.commit()
    assert known(tmp_path) == known(tmp_path) == ENTRIES


@pytest.mark.parametrize("other", ["'text'", "CAST(x'ff' AS TEXT)", "7", "0.5"])
def test_a_value_of_another_type_is_missing(tmp_path: Path, other: str) -> None:
    with closing(sqlite3.connect(filled(tmp_path))) as database:
        database.execute(f"UPDATE entry SET value = {other}")
        database.commit()
    assert known(tmp_path) == {}
    filled(tmp_path)
    assert known(tmp_path) == ENTRIES


def test_a_place_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(str(tmp_path / "file" / FOLDER))
    cache.put(ENTRIES)
    assert cache.complaint == f"the cache in {tmp_path}/file/{FOLDER} cannot be used: not a directory"
    assert cache.get(ENTRIES) == {}


def test_another_scan_that_writes_for_long_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT", 0.05)
    writer = sqlite3.connect(filled(tmp_path))
    writer.execute("BEGIN IMMEDIATE")
    cache = Cache(str(tmp_path))
    assert cache.get(ENTRIES) == ENTRIES
    cache.put({key_of("d"): b"4"})
    assert not cache.complaint
    cache.close()
    writer.rollback()
    writer.close()
    assert known(tmp_path) == ENTRIES


def test_what_a_killed_scan_was_writing_is_not_there(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\n"
        "from racelint.engine.cache import Cache, key_of\n"
        "cache = Cache(sys.argv[1])\n"
        "cache._prune = lambda connection: os.kill(os.getpid(), signal.SIGKILL)\n"
        "cache.put({key_of('a'): b'torn', key_of('d'): b'torn' * 100_000})\n"
    )
    filled(tmp_path)
    killed = subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert known(tmp_path) == ENTRIES
    assert known(tmp_path, keys=[key_of("d")]) == {}


def test_what_nobody_asks_for_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(tmp_path)
    first = 1_000_000
    for day, asked in ((first, "a"), (first + KEPT_DAYS, "a"), (first + KEPT_DAYS + 1, "d")):
        cache = Cache(str(tmp_path))
        cache._today = day
        cache.get([key_of(asked)])
        cache.close()
        cache = Cache(str(tmp_path))
        cache._today = day
        cache.put({key_of("d"): b""})
        cache.close()
    assert set(known(tmp_path)) == {key_of("a")}


def test_removing_takes_only_what_is_ours(tmp_path: Path) -> None:
    folder = tmp_path / FOLDER
    assert not remove(str(folder))
    filled(folder)
    (folder / "mine.txt").write_text("")
    assert remove(str(folder))
    assert [entry.name for entry in folder.iterdir()] == ["mine.txt"]
    (folder / "mine.txt").unlink()
    filled(folder)
    assert remove(str(folder))
    assert not folder.exists()


def test_a_folder_that_is_a_link_is_emptied_and_used_again(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    folder = tmp_path / FOLDER
    folder.symlink_to("elsewhere")
    filled(folder).write_bytes(b"no database" * 500)
    assert known(folder, "was damaged and has been started anew") == {}
    filled(folder)
    (folder / "cache-1.sqlite-journal").touch()  # where a file system knows no write-ahead log
    assert remove(str(folder))
    assert list((tmp_path / "elsewhere").iterdir()) == []
