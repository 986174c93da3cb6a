"""A logging call under the lock."""
# target: Stock.sell
# expect: not-confirmed

import logging
import threading

log = logging.getLogger(__name__)


class Stock:
    def __init__(self):
        self._lock = threading.Lock()
        self.pieces = 10

    def sell(self):
        with self._lock:
            left = self.pieces - 1
            log.warning("selling one, %d left", left)
            self.pieces = left
