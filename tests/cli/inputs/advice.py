import threading

lock = threading.Lock()
names = []


def add(name):
    lock.acquire()
    names.append(name)
    lock.release()


threading.Thread(target=add, args=("a",))
