"""Double-checked locking with the second check, filled before it is published."""
# target: Tables.square
# expect: not-confirmed

from threading import Lock


class Tables:
    def __init__(self):
        self._lock = Lock()
        self._squares = None

    def square(self, n: int = 2):
        if self._squares is None:
            with self._lock:
                if self._squares is None:
                    squares = {}
                    for k in range(3):
                        squares[k] = k * k
                    self._squares = squares
        return self._squares[n]
