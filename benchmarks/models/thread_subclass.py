"""The code under test starts Thread subclasses that share class state."""
# target: run_workers
# expect: confirmed lost-update|not-serializable

import threading


class Worker(threading.Thread):
    finished = 0

    def __init__(self, number):
        super().__init__(name=f"worker-{number}")
        self.number = number

    def run(self):
        done = Worker.finished
        Worker.finished = done + 1


def run_workers():
    Worker.finished = 0
    workers = [Worker(n) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return Worker.finished
