"""Two consumers of a queue: who gets which item is left open, and harmless."""
# target: run
# expect: not-confirmed

import queue
import threading


def run():
    inbox = queue.Queue()
    results = []
    for n in range(3):
        inbox.put(n)

    def consumer():
        while True:
            try:
                n = inbox.get_nowait()
            except queue.Empty:
                return
            results.append(n * n)

    threads = [threading.Thread(target=consumer) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return results
