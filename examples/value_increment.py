"""Two processes do `value.value += 1`: the read and the write each take the Value's lock, the pair does not."""
# expect: RL602 confirmed lost-update

from multiprocessing import Process, Value


def count_up(value):
    for _ in range(10000):
        value.value += 1  # RL602


def main():
    value = Value("i", 0)
    p1 = Process(target=count_up, args=(value,))
    p2 = Process(target=count_up, args=(value,))
    p1.start()
    p2.start()
    p1.join()
    p2.join()
    print("Counted", value.value, "of 20000")


if __name__ == "__main__":
    main()
