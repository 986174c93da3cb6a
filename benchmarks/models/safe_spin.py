"""A spin loop on a flag that is set last."""
# target: Box.fill,Box.read
# expect: not-confirmed


class Box:
    def __init__(self):
        self.ready = False
        self.value = None

    def fill(self, value: int = 7):
        self.value = value
        self.ready = True

    def read(self):
        while not self.ready:
            pass
        return self.value
