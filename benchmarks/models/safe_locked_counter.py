"""A counter under its lock."""
# target: Counter.increment,Counter.value
# expect: not-confirmed

import threading


class Counter:
    def __init__(self):
        self._lock = threading.Lock()
        self._n = 0

    def increment(self):
        with self._lock:
            self._n += 1

    def value(self):
        with self._lock:
            return self._n
