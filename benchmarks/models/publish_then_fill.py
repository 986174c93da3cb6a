"""Double-checked, but the table is published before it is filled."""
# target: Tables.square
# expect: confirmed exception

from threading import Lock


class Tables:
    def __init__(self):
        self._lock = Lock()
        self._squares = None

    def square(self, n: int = 2):
        if self._squares is None:
            with self._lock:
                if self._squares is None:
                    self._squares = {}
                    for k in range(3):
                        self._squares[k] = k * k
        return self._squares[n]
