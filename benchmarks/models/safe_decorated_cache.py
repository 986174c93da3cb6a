"""A cache with a limit whose methods take the lock by a decorator."""
# target: Recent
# expect: not-confirmed

import threading
from collections import OrderedDict


def locked(method):
    def call(self, *args):
        with self.lock:
            return method(self, *args)

    return call


class Recent:
    def __init__(self, size: int = 2):
        self.size = size
        self.lock = threading.RLock()
        self.data: OrderedDict[str, int] = OrderedDict()

    @locked
    def get(self, key: str):
        if key in self.data:
            self.data.move_to_end(key)
            return self.data[key]
        return None

    @locked
    def put(self, key: str, value: int):
        self.data[key] = value
        if len(self.data) > self.size:
            self.data.popitem(last=False)
