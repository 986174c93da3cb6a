"""Condition in a while: the textbook buffer."""
# target: Buffer.put,Buffer.get
# expect: not-confirmed

from threading import Condition, Lock


class Buffer:
    def __init__(self, capacity: int = 1):
        self._lock = Lock()
        self._not_empty = Condition(self._lock)
        self._not_full = Condition(self._lock)
        self._capacity = capacity
        self._items = []

    def put(self, item: int = 1):
        with self._not_full:
            while len(self._items) >= self._capacity:
                self._not_full.wait()
            self._items.append(item)
            self._not_empty.notify()

    def get(self):
        with self._not_empty:
            while not self._items:
                self._not_empty.wait()
            item = self._items.pop(0)
            self._not_full.notify()
            return item
