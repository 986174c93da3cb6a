"""A generator that one thread is inside of raises in the other."""
# target: Tickets.take
# expect: confirmed exception


def numbers():
    n = 0
    while True:
        n = n + 1
        yield n


class Tickets:
    def __init__(self):
        self.source = numbers()

    def take(self):
        return next(self.source)
