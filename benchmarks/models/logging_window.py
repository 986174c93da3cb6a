"""A logging call stands between the read and the write."""
# target: Stock.sell
# expect: confirmed lost-update

import logging

log = logging.getLogger(__name__)


class Stock:
    def __init__(self, pieces: int = 10):
        self.pieces = pieces

    def sell(self):
        left = self.pieces - 1
        log.info("selling one, %d left", left)
        self.pieces = left
