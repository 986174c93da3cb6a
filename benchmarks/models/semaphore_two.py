"""A semaphore of two lets two in at once."""
# target: Gate.enter
# expect: confirmed lost-update

import threading


class Gate:
    def __init__(self):
        self.slots = threading.Semaphore(2)
        self.count = 0

    def enter(self):
        with self.slots:
            self.count += 1
