"""A timer that has gone off takes itself away while it is being replaced."""
# target: Debounce.call
# expect: confirmed exception

import threading


class Debounce:
    def __init__(self, delay: float = 0.1):
        self.delay = delay
        self.timer = None
        self.fired = 0

    def call(self):
        if self.timer is not None:
            self.timer.cancel()
        self.timer = threading.Timer(self.delay, self._fire)
        self.timer.start()

    def _fire(self):
        self.fired += 1
        self.timer = None
