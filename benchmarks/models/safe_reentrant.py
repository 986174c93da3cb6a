"""An RLock taken again by its holder."""
# target: Tree.add,Tree.size
# expect: not-confirmed

import threading


class Tree:
    def __init__(self):
        self._lock = threading.RLock()
        self._names = []

    def add(self, name: str = "leaf"):
        with self._lock:
            if self.size() < 10:
                self._names.append(name)

    def size(self):
        with self._lock:
            return len(self._names)
