"""Comments stay where they are, also those below the last statement of a block that a fix moves or does away with."""

from __future__ import annotations

import re

import pytest

from tests.fixes.drafts import draft_of, mended

STORE = """\
import threading


class Store:
    def __init__(self):
        self._lock = threading.Lock()
        self.rows = {{}}

    def get(self, key):
        with self._lock:
            return self.rows.get(key)

    def put(self, key):
        with self._lock:
            self.rows[key] = 1

    def add(self, key):
{body}"""
MOVED = """\
        if key not in self.rows:
            self.rows[key] = 1
            # after the first
        # why there is an else
        else:  # known
            self.rows[key] += 1
            # self.rows[key] = 2

            # print(key)
        # below
"""
OPENED = """\
        if key not in self.rows:
            with self._lock:
                self.rows[key] = 1
                # under the lock
        else:
            print(key)
            # print(self)
        # below
"""
JOINED = """\
        with self._lock:
            self.rows[key] = 1
            # was 2
        if key in self.rows:
            self.rows[key] += 1
            # was += 2
        with self._lock:
            self.rows[key] -= 1
            # was -= 2
        return 1
"""
ACQUIRED = """\
import threading

lock = threading.Lock()


def up(key):
    lock.acquire()
    try:
        if key:
            total = int(key)
        else:
            total = int("4")
            # total = 5
        # total = 6
    finally:
        # let go
        lock.release()
        # gone
    return total
"""
INSIDE = """\
import threading

lock = threading.Lock()


def up(key):
    try:
        lock.acquire()
        if key:
            int(key)
        else:
            int("4")
            # int("5")
        # int("6")
    finally:
        lock.release()
        # gone
"""
HOT = """\
import threading

lock = threading.Lock()
total = 0


def up(keys):
    global total
    for key in keys:
        with lock:
            total += key
            # total += 1
        # the next


for _ in range(2):
    threading.Thread(target=up, args=(range(1000),)).start()
"""
SPUN = """\
import threading
import time

done = threading.Event()


def wait():
    while not done.is_set():
        time.sleep(1)
        # time.sleep(2)
    # done


threading.Thread(target=done.set).start()
"""
CASES = {
    "moved": ("RL102", STORE.format(body=MOVED)),
    "opened": ("RL104", STORE.format(body=OPENED)),
    "joined": ("RL102", STORE.format(body=JOINED)),
    "acquired": ("RL211", ACQUIRED),
    "acquired inside": ("RL209", INSIDE),
    "hot loop": ("RL401", HOT),
    "spun": ("RL403", SPUN),
}


def comments(text: str) -> list[str]:
    return re.findall("#.*", text)


@pytest.mark.parametrize(("code", "source"), CASES.values(), ids=CASES)
def test_every_comment_stays_in_its_order(code: str, source: str) -> None:
    after = mended(draft_of({"store.py": source.encode()}), code)
    assert after.applied
    assert comments(after.draft.sources["store.py"].decode()) == comments(source)


def test_what_is_below_a_branch_moves_with_it() -> None:
    after = mended(draft_of({"store.py": STORE.format(body=MOVED).encode()}), "RL102")
    lines = MOVED.splitlines()[:-1]
    moved = "".join(f"    {line}\n" if line else "\n" for line in lines)
    assert after.draft.sources["store.py"].decode() == STORE.format(
        body=f"        with self._lock:\n{moved}        # below\n"
    )
