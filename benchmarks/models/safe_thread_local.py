"""Every thread has its own."""
# target: Context.nest
# expect: not-confirmed

import threading


class Context:
    def __init__(self):
        self._local = threading.local()

    def nest(self):
        depth = getattr(self._local, "depth", 0)
        self._local.depth = depth + 1
        return self._local.depth
