"""Workers return values; the caller adds them up."""
# target: total
# expect: not-confirmed

from concurrent.futures import ThreadPoolExecutor


def measure(text):
    return len(text)


def total():
    with ThreadPoolExecutor(max_workers=2) as pool:
        return sum(pool.map(measure, ["a", "bb", "ccc"]))
