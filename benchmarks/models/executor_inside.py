"""The code under test has a ThreadPoolExecutor of its own."""
# target: count_words
# expect: confirmed lost-update|not-serializable

from concurrent.futures import ThreadPoolExecutor

PAGES = ["to be or not to be", "that is the question"]


class Tally:
    def __init__(self):
        self.words = 0

    def add(self, page):
        self.words += len(page.split())


def count_words():
    tally = Tally()
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(tally.add, PAGES))
    return tally.words
