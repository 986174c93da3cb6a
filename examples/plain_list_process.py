"""The array is a plain list: the child has a copy of its own and never sees what the main process writes."""
# expect: RL601 confirmed lost-in-process

import time
from multiprocessing import Process


def print_array_contents(array):
    for _ in range(12):
        print(*array, sep=", ")
        time.sleep(0.1)


if __name__ == "__main__":
    arr = [-1] * 10
    p = Process(target=print_array_contents, args=([arr]))
    p.start()
    for j in range(5):
        time.sleep(0.2)
        for i in range(10):
            arr[i] = j  # RL601
    p.join()
