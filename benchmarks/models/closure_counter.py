"""Threads over a closure variable."""
# target: count_lines
# expect: confirmed lost-update|not-serializable

import threading


def count_lines(texts: tuple = ("a\nb", "c\nd")):
    total = 0

    def worker(text):
        nonlocal total
        total += text.count("\n") + 1

    threads = [threading.Thread(target=worker, args=(text,)) for text in texts]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return total
