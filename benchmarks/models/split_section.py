"""Both steps hold the lock, and between them it is free."""
# target: Meter.add
# expect: confirmed lost-update|not-serializable

import threading


class Meter:
    def __init__(self):
        self._lock = threading.RLock()
        self._value = 0

    def get(self):
        with self._lock:
            return self._value

    def set(self, value: int):
        with self._lock:
            self._value = value

    def add(self, amount: int = 1):
        self.set(self.get() + amount)
