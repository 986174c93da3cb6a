"""A plain lock taken again through a second method, but only when another thread came first."""
# target: Cache.get
# expect: confirmed deadlock|hang

import threading


class Cache:
    def __init__(self):
        self._lock = threading.Lock()
        self._data = {}

    def get(self, key: str = "a"):
        if key not in self._data:
            with self._lock:
                if key in self._data:
                    return self._reload(key)
                self._data[key] = key.upper()
        return self._data[key]

    def _reload(self, key):
        with self._lock:
            self._data[key] = key.upper()
        return self._data[key]
