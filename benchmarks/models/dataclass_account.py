"""An object that can only be built from its annotations."""
# target: Account.deposit,Account.withdraw
# expect: confirmed lost-update

from dataclasses import dataclass


@dataclass
class Account:
    owner: str
    balance: int

    def deposit(self, amount: int) -> None:
        self.balance = self.balance + amount

    def withdraw(self, amount: int) -> None:
        self.balance = self.balance - amount
