"""Two locks taken in both orders."""
# target: Ledger.debit,Ledger.credit
# expect: confirmed deadlock

import threading


class Ledger:
    def __init__(self):
        self.accounts = threading.Lock()
        self.journal = threading.Lock()
        self.balance = 0
        self.lines = []

    def debit(self, amount: int = 1):
        with self.accounts:
            self.balance -= amount
            with self.journal:
                self.lines.append(-amount)

    def credit(self, amount: int = 1):
        with self.journal:
            self.lines.append(amount)
            with self.accounts:
                self.balance += amount
