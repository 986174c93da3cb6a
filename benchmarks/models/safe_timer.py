"""A watchdog Timer that is cancelled, and whose callback sets an event."""
# target: guarded_sum
# expect: not-confirmed

import threading


def guarded_sum():
    expired = threading.Event()
    timer = threading.Timer(30.0, expired.set)
    timer.start()
    try:
        return sum(range(10))
    finally:
        timer.cancel()
        timer.join()
