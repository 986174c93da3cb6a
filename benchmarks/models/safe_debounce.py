"""A timer is replaced, and takes itself away, under one lock."""
# target: Debounce.call
# expect: not-confirmed

import threading


class Debounce:
    def __init__(self, delay: float = 0.1):
        self.delay = delay
        self.lock = threading.Lock()
        self.timer = None
        self.fired = 0

    def call(self):
        with self.lock:
            if self.timer is not None:
                self.timer.cancel()
            self.timer = threading.Timer(self.delay, self._fire)
            self.timer.start()

    def _fire(self):
        with self.lock:
            self.fired += 1
            self.timer = None
