"""Three parties, and only the two workers come."""
# target: RL306
# expect: confirmed hang|deadlock

import threading


def run():
    barrier = threading.Barrier(3)
    passed = []

    def worker(name):
        barrier.wait()
        passed.append(name)

    threads = [threading.Thread(target=worker, args=(name,)) for name in ("a", "b")]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return sorted(passed)
