"""Only whoever meets another inside waits at the barrier, and the other may be past its look."""
# target: Room.enter
# expect: confirmed hang|deadlock

import threading


class Room:
    def __init__(self):
        self.barrier = threading.Barrier(2)
        self.inside = 0

    def enter(self):
        self.inside += 1
        if self.inside == 2:
            self.barrier.wait()
        self.inside -= 1
