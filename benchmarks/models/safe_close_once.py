"""A lock that is never given back decides who closes."""
# target: Resource.close
# expect: not-confirmed

import threading


class Resource:
    def __init__(self):
        self._once = threading.Lock()
        self.closed = 0

    def close(self):
        if self._once.acquire(blocking=False):
            self.closed += 1
