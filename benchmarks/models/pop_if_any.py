"""The list is not empty when looked at, and empty when popped."""
# target: Jobs.take
# expect: confirmed exception


class Jobs:
    def __init__(self):
        self.waiting = ["only one"]

    def take(self):
        if self.waiting:
            return self.waiting.pop()
        return None
