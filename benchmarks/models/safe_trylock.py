"""Work that is left undone where a lock or a permit is not to be had."""
# target: Shop.sell,Shop.count,Shop.rest
# expect: not-confirmed

import threading


class Shop:
    def __init__(self):
        self._lock = threading.Lock()
        self._doors = threading.Semaphore(1)
        self._sold = 0

    def sell(self):
        if not self._lock.acquire(timeout=1):
            raise TimeoutError("too many customers")
        try:
            self._sold += 1
        finally:
            self._lock.release()

    def count(self):
        if not self._lock.acquire(blocking=False):
            return None
        try:
            return self._sold
        finally:
            self._lock.release()

    def rest(self):
        if not self._doors.acquire(timeout=1):
            return False
        self._doors.release()
        return True
