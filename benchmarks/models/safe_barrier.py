"""As many threads as parties, in two rounds."""
# target: run
# expect: not-confirmed

import threading


def run():
    barrier = threading.Barrier(3)
    rows = [0, 0]

    def worker(k):
        for _ in range(2):
            barrier.wait()
            rows[k] += k + 1

    threads = [threading.Thread(target=worker, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    for _ in range(2):
        barrier.wait()
    for t in threads:
        t.join()
    return rows
