"""Two permits, two threads, and each needs two."""
# target: Printer.print_both_sides
# expect: confirmed deadlock|hang

import threading


class Printer:
    def __init__(self):
        self.trays = threading.BoundedSemaphore(2)
        self.pages = 0

    def print_both_sides(self):
        self.trays.acquire()
        self.trays.acquire()
        print("printing")
        self.trays.release()
        self.trays.release()
