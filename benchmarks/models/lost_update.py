"""A counter: the read and the write of += are two steps."""
# target: Counter.increment
# expect: confirmed lost-update


class Counter:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1
