from threading import Lock, Thread

lock = Lock()
total = 0


def add():
    global total
    with lock:
        total += 1


def main():
    workers = [Thread(target=add) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(total)


if __name__ == "__main__":
    main()
