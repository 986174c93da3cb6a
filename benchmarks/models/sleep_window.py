"""Two seconds of sleep in the window: a virtual clock makes them free."""
# target: Turnstile.enter
# expect: confirmed lost-update

import time


class Turnstile:
    def __init__(self):
        self.inside = 0

    def enter(self):
        inside = self.inside
        time.sleep(2)
        self.inside = inside + 1
