"""Woken by notify, but another consumer was faster: the list is empty again."""
# target: Buffer.put_two,Buffer.get,Buffer.get
# expect: confirmed exception

from threading import Condition


class Buffer:
    def __init__(self):
        self.cv = Condition()
        self.items = []

    def put_two(self):
        for item in ("first", "second"):
            with self.cv:
                self.items.append(item)
                self.cv.notify()

    def get(self):
        with self.cv:
            if not self.items:
                self.cv.wait()
            return self.items.pop()
