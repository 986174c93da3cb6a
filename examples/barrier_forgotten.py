"""Four parties, but only the three workers come to the barrier: all of them wait for ever."""
# expect: RL306 confirmed hang

from threading import Barrier, Thread

barrier = Barrier(4)  # RL306


def wait_on_barrier(name):
    print(name, "is waiting on the barrier")
    barrier.wait()
    print(name, "is finished")


def main():
    threads = []
    for name in ("red", "green", "blue"):
        t = Thread(target=wait_on_barrier, args=[name])
        threads.append(t)
        t.start()
    print("Main is waiting for the workers")
    for t in threads:
        t.join()
    print("Main is finished")


if __name__ == "__main__":
    main()
