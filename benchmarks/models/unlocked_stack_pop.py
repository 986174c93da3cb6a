"""Two pops give the same element."""
# target: Stack.pop
# expect: confirmed not-serializable|lost-update


class Stack:
    def __init__(self):
        self.items = [10, 20, 30]
        self.size = 3

    def pop(self):
        if self.size == 0:
            return None
        self.size -= 1
        return self.items[self.size]
