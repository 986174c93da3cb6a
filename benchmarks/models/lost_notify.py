"""The predicate is tested outside of the lock: the notify comes before the wait."""
# target: Mailbox.put,Mailbox.get
# expect: confirmed hang|deadlock

import threading


class Mailbox:
    def __init__(self):
        self.cv = threading.Condition()
        self.full = False
        self.letter = None

    def put(self, letter: str = "hello"):
        self.letter = letter
        self.full = True
        with self.cv:
            self.cv.notify()

    def get(self):
        if not self.full:
            with self.cv:
                self.cv.wait()
        return self.letter
