"""empty() said no, then another consumer took the last item: get blocks for ever."""
# target: Inbox.drain
# expect: confirmed hang|deadlock

import queue


class Inbox:
    def __init__(self):
        self.queue = queue.Queue()
        self.queue.put("only one")

    def drain(self):
        taken = 0
        while not self.queue.empty():
            self.queue.get()
            taken += 1
        return taken
