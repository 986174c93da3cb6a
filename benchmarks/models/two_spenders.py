"""A wait under `if`: with two spenders the money goes below zero."""
# target: Purse.earn,Purse.spend,Purse.spend
# expect: confirmed not-serializable|invariant

from threading import Condition


class Purse:
    def __init__(self):
        self.money = 0
        self.cv = Condition()

    def earn(self):
        for _ in range(2):
            with self.cv:
                self.money += 20
                self.cv.notify_all()

    def spend(self):
        with self.cv:
            if self.money < 20:
                self.cv.wait()
            self.money -= 20
            return self.money
