"""A dict grows while it is iterated."""
# target: Weights.total,Weights.put
# expect: confirmed exception


class Weights:
    def __init__(self):
        self.by_name = {"a": 1, "b": 2}

    def put(self, name: str = "c", weight: int = 3):
        self.by_name[name] = weight

    def total(self):
        total = 0
        for weight in self.by_name.values():
            total += weight
        return total
