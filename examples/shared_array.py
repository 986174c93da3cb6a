"""A child prints a shared, locked Array while the main process fills it: every change is seen, nothing to report."""
# expect: silent

import time
from multiprocessing import Array, Process


def print_array_contents(array):
    for _ in range(12):
        print(*array, sep=", ")
        time.sleep(0.1)


if __name__ == "__main__":
    arr = Array("i", [-1] * 10, lock=True)
    p = Process(target=print_array_contents, args=([arr]))
    p.start()
    for j in range(5):
        time.sleep(0.2)
        for i in range(10):
            arr[i] = j
    p.join()
