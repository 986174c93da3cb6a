"""Two accounts and no lock: money is made or lost."""
# target: Bank.transfer
# expect: confirmed lost-update|not-serializable


class Account:
    def __init__(self, balance):
        self.balance = balance


class Bank:
    def __init__(self):
        self.ada = Account(100)
        self.bob = Account(100)

    def transfer(self, amount: int = 10):
        if self.ada.balance < amount:
            return False
        self.ada.balance -= amount
        self.bob.balance += amount
        return True
