"""Two locks, always in one order."""
# target: Bank.forward,Bank.back
# expect: not-confirmed

from threading import Lock


class Account:
    def __init__(self, number, balance):
        self.number = number
        self.lock = Lock()
        self.balance = balance


class Bank:
    def __init__(self):
        self.ada = Account(1, 100)
        self.bob = Account(2, 100)

    def _move(self, source, target, amount):
        first, second = sorted((source, target), key=lambda account: account.number)
        with first.lock:
            with second.lock:
                source.balance -= amount
                target.balance += amount

    def forward(self, amount: int = 10):
        self._move(self.ada, self.bob, amount)

    def back(self, amount: int = 5):
        self._move(self.bob, self.ada, amount)
