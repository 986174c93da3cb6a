"""A linked stack: a push between another push's read and write is lost."""
# target: Stack.push
# expect: confirmed not-serializable|lost-update


class Node:
    def __init__(self, value, below):
        self.value = value
        self.below = below


class Stack:
    def __init__(self):
        self.top = None

    def push(self, value: int = 1):
        node = Node(value, None)
        node.below = self.top
        self.top = node

    def pop(self):
        node = self.top
        if node is None:
            return None
        self.top = node.below
        return node.value
