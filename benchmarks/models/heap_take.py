"""The last element of a heap is looked at by two threads, which both take it out by a function of a module."""
# target: Timetable.take
# expect: confirmed exception

import heapq


class Timetable:
    def __init__(self):
        self.times: list[int] = []

    def add(self, when: int):
        heapq.heappush(self.times, when)

    def take(self):
        if self.times:
            return heapq.heappop(self.times)
        return None
