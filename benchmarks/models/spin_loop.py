"""A consumer spins on a flag that is set before what it stands for."""
# target: Box.fill,Box.read
# expect: confirmed not-serializable|exception


class Box:
    def __init__(self):
        self.ready = False
        self.value = None

    def fill(self, value: int = 7):
        self.ready = True
        self.value = value

    def read(self):
        while not self.ready:
            pass
        return self.value
