"""The two threads must be switched five times, four of them where nothing blocks."""
# target: Handshake.left,Handshake.right
# expect: confirmed


class Handshake:
    def __init__(self):
        self.stage = 0
        self.broken = False

    def left(self):
        if self.stage == 0:
            self.stage = 1
        if self.stage == 2:
            self.stage = 3
        if self.stage == 4:
            self.stage = 5

    def right(self):
        if self.stage == 1:
            self.stage = 2
        if self.stage == 3:
            self.stage = 4
        if self.stage == 5:
            self.broken = True
