"""Three locks in a ring: any two of the functions get along, the three do not."""
# target: Table.first,Table.second,Table.third
# expect: confirmed deadlock

from threading import Lock


class Table:
    def __init__(self):
        self.forks = [Lock(), Lock(), Lock()]
        self.meals = 0

    def _eat(self, left, right):
        with self.forks[left]:
            with self.forks[right]:
                print("eating")

    def first(self):
        self._eat(0, 1)

    def second(self):
        self._eat(1, 2)

    def third(self):
        self._eat(2, 0)
