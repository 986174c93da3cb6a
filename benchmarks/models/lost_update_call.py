"""A call between the read and the write: this one fails on every interpreter."""
# target: Till.sell
# expect: confirmed lost-update


def with_tax(price: int) -> int:
    return price * 119 // 100


class Till:
    def __init__(self, start: int = 0):
        self.total = start

    def sell(self, price: int = 100):
        self.total = self.total + with_tax(price)
