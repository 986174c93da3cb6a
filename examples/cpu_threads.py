"""Pure computation on four threads: with the GIL they take turns, so it is no faster than one."""
# expect: RL402 confirmed cost

from threading import Thread


def sum_of_squares(first, last):
    total = 0
    for n in range(first, last):
        total += n * n % 7
    return total


def main():
    threads = []
    for k in range(4):
        t = Thread(target=sum_of_squares, args=(k * 1500000, (k + 1) * 1500000))  # RL402
        t.start()
        threads.append(t)
    for t in threads:
        t.join()
    print("Done")


if __name__ == "__main__":
    main()
