"""Small programs that go wrong under some schedule, and some that never do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Model:
    """`effects` are those that a confirmed model may show; a safe model has none."""

    source: str
    operations: tuple[str, ...]
    setup: str = ""
    effects: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


PROGRAM = {"kind": "program"}

RACY: dict[str, Model] = {
    "counter": Model(
        """
        class Counter:
            def __init__(self):
                self.n = 0

            def increment(self):
                self.n += 1  # FLAG
        """,
        ("c.increment()", "c.increment()"),
        "c = target.Counter()",
        ("lost-update",),
    ),
    "course": Model(
        """
        class StingySpendy:
            money = 100

            def stingy(self):
                for i in range(1000000):
                    self.money += 10  # FLAG
                print("Stingy Done")

            def spendy(self):
                for i in range(1000000):
                    self.money -= 20  # FLAG
                print("Spendy Done")
        """,
        ("s.stingy()", "s.spendy()"),
        "s = target.StingySpendy()",
        ("lost-update",),
    ),
    "check_then_act": Model(
        """
        CACHE = {}

        class Entry:
            pass

        def get(key):
            if key not in CACHE:  # FLAG
                CACHE[key] = Entry()  # FLAG
            return CACHE[key]
        """,
        ("target.get('a')", "target.get('a')"),
        effects=("lost-update", "not-serializable"),
    ),
    "lazy_singleton": Model(
        """
        class Settings:
            _instance = None

            def __init__(self):
                self.values = []

            @classmethod
            def get(cls):
                if cls._instance is None:
                    cls._instance = cls()
                return cls._instance
        """,
        ("target.Settings.get()", "target.Settings.get()"),
        effects=("lost-update", "not-serializable"),
    ),
    "abba_deadlock": Model(
        """
        import threading

        class Two:
            def __init__(self):
                self.a = threading.Lock()
                self.b = threading.Lock()

            def one(self):
                with self.a:
                    with self.b:
                        pass

            def other(self):
                with self.b:
                    with self.a:
                        pass
        """,
        ("t.one()", "t.other()"),
        "t = target.Two()",
        ("deadlock",),
    ),
    "lost_notify": Model(
        """
        import threading

        class Gate:
            def __init__(self):
                self.condition = threading.Condition()
                self.is_open = False

            def wait(self):
                if not self.is_open:
                    with self.condition:
                        self.condition.wait()

            def open(self):
                self.is_open = True
                with self.condition:
                    self.condition.notify()
        """,
        ("g.wait()", "g.open()"),
        "g = target.Gate()",
        ("hang",),
    ),
    "stolen_wakeup": Model(
        """
        from threading import Condition

        class Box:
            def __init__(self):
                self.items = []
                self.condition = Condition()

            def put(self, item):
                with self.condition:
                    self.items.append(item)
                    self.condition.notify()

            def get(self):
                with self.condition:
                    if not self.items:
                        self.condition.wait()  # FLAG
                    return self.items.pop()
        """,
        ("b.get()", "b.get()", "b.put(1)", "b.put(2)"),
        "b = target.Box()",
        ("exception", "invariant"),
        {"code": "RL301"},
    ),
    "unlocked_stack": Model(
        """
        class Stack:
            def __init__(self):
                self.items = [1]

            def pop(self):
                if self.items:
                    return self.items.pop()
                return None
        """,
        ("s.pop()", "s.pop()"),
        "s = target.Stack()",
        ("exception",),
    ),
    "transfer": Model(
        """
        class Account:
            def __init__(self, balance):
                self.balance = balance

        def transfer(source, target, amount):
            if source.balance >= amount:
                source.balance -= amount
                target.balance += amount
        """,
        ("target.transfer(x, y, 60)", "target.transfer(x, y, 60)"),
        "x = target.Account(100)\ny = target.Account(0)",
        ("lost-update", "not-serializable"),
    ),
    "executor_inside": Model(
        """
        from concurrent.futures import ThreadPoolExecutor

        total = 0

        def add(n):
            global total
            total += n

        def main():
            with ThreadPoolExecutor(max_workers=2) as pool:
                list(pool.map(add, [1, 2]))
            return total
        """,
        ("target.main()",),
        effects=("lost-update",),
        options=PROGRAM,
    ),
    "lock_made_at_import": Model(
        """
        import threading
        from threading import Lock

        LOCK = Lock()
        N = 0

        def increment():
            global N
            with LOCK:
                value = N
            with LOCK:
                N = value + 1
        """,
        ("target.increment()", "target.increment()"),
        effects=("lost-update", "not-serializable"),
    ),
    "thread_subclass_logs_and_sleeps": Model(
        """
        import logging
        import threading
        import time

        log = logging.getLogger("model")

        class Worker(threading.Thread):
            hits = 0

            def run(self):
                log.warning("running")
                seen = Worker.hits
                time.sleep(2)
                Worker.hits = seen + 1

        def main():
            workers = [Worker(), Worker()]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            return Worker.hits
        """,
        ("target.main()",),
        effects=("lost-update",),
        options=PROGRAM,
    ),
    "timers": Model(
        """
        import threading

        class Count:
            n = 0

        def bump():
            Count.n += 1

        def main():
            timers = [threading.Timer(5, bump), threading.Timer(5, bump)]
            for timer in timers:
                timer.start()
            for timer in timers:
                timer.join()
            return Count.n
        """,
        ("target.main()",),
        effects=("lost-update",),
        options=PROGRAM,
    ),
    "spin_loop": Model(
        """
        class Flag:
            def __init__(self):
                self.ready = False
                self.n = 0

            def wait(self):
                while not self.ready:
                    pass
                self.n += 1

            def go(self):
                self.ready = True
                self.n += 1
        """,
        ("f.wait()", "f.go()"),
        "f = target.Flag()",
        ("lost-update",),
    ),
    "mapping_with_items_of_its_own": Model(
        """
        class Table(dict):
            def items(self):
                return ()

            def add(self):
                self["n"] = self.get("n", 0) + 1  # FLAG
        """,
        ("t.add()", "t.add()"),
        "t = target.Table()",
        ("lost-update",),
    ),
    "first_of_a_set": Model(
        """
        class Jobs:
            def __init__(self):
                self.waiting = {1, 2}

            def first(self):
                return next(iter(self.waiting), None)  # FLAG

            def add(self):
                self.waiting.add(3)  # FLAG
        """,
        ("j.first()", "j.add()"),
        "j = target.Jobs()",
        ("exception",),
        {"code": "RL106"},
    ),
    "spin_loop_around_another": Model(
        """
        class Flag:
            def __init__(self):
                self.ready = False
                self.queue = []
                self.n = 0

            def wait(self):
                while not self.ready:
                    while self.queue:
                        self.queue.pop()
                self.n += 1

            def go(self):
                self.ready = True
                self.n += 1
        """,
        ("f.wait()", "f.go()"),
        "f = target.Flag()",
        ("lost-update",),
    ),
    "three_threads": Model(
        """
        class Three:
            def __init__(self):
                self.stage = 0

            def first(self):
                self.stage = 1

            def second(self):
                if self.stage == 1:
                    self.stage = 2

            def third(self):
                seen = [self.stage]
                seen.append(self.stage)
                seen.append(self.stage)
                if seen == [0, 1, 2]:
                    raise ValueError("seen all three")
        """,
        ("t.first()", "t.second()", "t.third()"),
        "t = target.Three()",
        ("exception",),
    ),
    "four_preemptions": Model(
        """
        class Ladder:
            def __init__(self):
                self.step = 0

            def left(self):
                if self.step == 0:
                    self.step = 1
                if self.step == 2:
                    self.step = 3
                if self.step == 4:
                    self.step = 5

            def right(self):
                if self.step == 1:
                    self.step = 2
                if self.step == 3:
                    self.step = 4
                if self.step == 5:
                    raise ValueError("at the top")
        """,
        ("f.left()", "f.right()"),
        "f = target.Ladder()",
        ("exception",),
        # Only the exception is looked at: the step is not part of the outcome.
        {"after": "f.step = 0", "schedules": 20_000},
    ),
    "barrier_of_four_for_three": Model(
        """
        from threading import Barrier, Thread

        barrier = Barrier(4)

        def work(name):
            barrier.wait()

        def main():
            threads = [Thread(target=work, args=[name]) for name in "abc"]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        """,
        ("target.main()",),
        effects=("hang",),
        options={**PROGRAM, "code": "RL306"},
    ),
    "lock_left_held": Model(
        """
        import threading

        class Parser:
            def __init__(self):
                self.lock = threading.Lock()
                self.total = 0

            def add(self, text):
                self.lock.acquire()
                self.total += int(text)
                self.lock.release()
        """,
        ("p.add('x')", "p.add('1')"),
        "p = target.Parser()",
        ("hang", "deadlock"),
        {"code": "RL201"},
    ),
    "iterate_while_resized": Model(
        """
        class Registry:
            def __init__(self):
                self.known = {"a": 1, "b": 2}

            def total(self):
                total = 0
                for name in self.known:
                    total += self.known[name]
                return total

            def add(self):
                self.known["c"] = 3
        """,
        ("r.total()", "r.add()"),
        "r = target.Registry()",
        ("exception",),
    ),
    "closure": Model(
        """
        import threading

        def main():
            count = 0

            def work():
                nonlocal count
                count += 1

            threads = [threading.Thread(target=work) for _ in range(2)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return count
        """,
        ("target.main()",),
        effects=("lost-update",),
        options=PROGRAM,
    ),
}

SAFE: dict[str, Model] = {
    "locked_mapping_with_items_of_its_own": Model(
        """
        import threading

        class Table(dict):
            lock = threading.Lock()

            def items(self):
                return ()

            def add(self):
                with self.lock:
                    self["n"] = self.get("n", 0) + 1
        """,
        ("t.add()", "t.add()"),
        "t = target.Table()",
    ),
    "first_of_a_copy": Model(
        """
        class Jobs:
            def __init__(self):
                self.waiting = {1, 2}

            def first(self):
                return next(iter(list(self.waiting)), None)

            def add(self):
                self.waiting.add(3)
        """,
        ("j.first()", "j.add()"),
        "j = target.Jobs()",
    ),
    "spin_loop_around_another": Model(
        """
        import threading

        class Flag:
            def __init__(self):
                self.lock = threading.Lock()
                self.ready = False
                self.queue = []
                self.n = 0

            def wait(self):
                while not self.ready:
                    while self.queue:
                        self.queue.pop()
                with self.lock:
                    self.n += 1

            def go(self):
                self.ready = True
                with self.lock:
                    self.n += 1
        """,
        ("f.wait()", "f.go()"),
        "f = target.Flag()",
    ),
    "locked_counter": Model(
        """
        import threading

        class Counter:
            def __init__(self):
                self.n = 0
                self.lock = threading.Lock()

            def increment(self):
                with self.lock:
                    self.n += 1
                    return self.n
        """,
        ("c.increment()", "c.increment()"),
        "c = target.Counter()",
    ),
    "condition_in_while": Model(
        RACY["stolen_wakeup"].source.replace("if not self.items", "while not self.items"),
        RACY["stolen_wakeup"].operations,
        RACY["stolen_wakeup"].setup,
        options={"code": "RL301"},
    ),
    "reentrant": Model(
        """
        import threading

        class Counter:
            def __init__(self):
                self.n = 0
                self.lock = threading.RLock()

            def increment(self):
                with self.lock:
                    self.add(1)

            def add(self, k):
                with self.lock:
                    self.n += k
        """,
        ("c.increment()", "c.increment()", "c.add(2)"),
        "c = target.Counter()",
    ),
    "queue_hand_off": Model(
        """
        import queue

        class Line:
            def __init__(self):
                self.queue = queue.Queue()
                self.total = 0

            def produce(self):
                for i in range(3):
                    self.queue.put([i])
                self.queue.put(None)

            def consume(self):
                while True:
                    item = self.queue.get()
                    if item is None:
                        return self.total
                    item.append(1)
                    self.total += item[0]
        """,
        ("q.produce()", "q.consume()"),
        "q = target.Line()",
    ),
    "ordered_locks": Model(
        RACY["abba_deadlock"].source.replace(
            "with self.b:\n                    with self.a:", "with self.a:\n                    with self.b:"
        ),
        RACY["abba_deadlock"].operations,
        RACY["abba_deadlock"].setup,
    ),
    "setdefault": Model(
        """
        CACHE = {}

        def get(key):
            return CACHE.setdefault(key, [])
        """,
        ("target.get(1)", "target.get(1)"),
    ),
    "turns_under_one_lock": Model(
        """
        import threading

        class Account:
            def __init__(self):
                self.money = 0
                self.lock = threading.Lock()

            def save(self):
                for _ in range(1000):
                    with self.lock:
                        self.money += 10

            def spend(self):
                for _ in range(1000):
                    with self.lock:
                        if self.money >= 20:
                            self.money -= 20
        """,
        ("a.save()", "a.spend()"),
        "a = target.Account()",
    ),
    "barrier_of_four_for_four": Model(
        """
        from threading import Barrier, Thread

        barrier = Barrier(4)

        def work(name):
            barrier.wait()

        def main():
            threads = [Thread(target=work, args=[name]) for name in "abc"]
            for thread in threads:
                thread.start()
            barrier.wait()
            for thread in threads:
                thread.join()
        """,
        ("target.main()",),
        options={**PROGRAM, "code": "RL306", "schedules": 300},
    ),
    "queue_order": Model(
        """
        import queue
        import threading

        def main():
            todo = queue.Queue()
            done = [[], []]

            def consume(number):
                while True:
                    item = todo.get()
                    if item is None:
                        break
                    done[number].append(item)

            threads = [threading.Thread(target=consume, args=(number,)) for number in range(2)]
            for thread in threads:
                thread.start()
            for item in range(4):
                todo.put(item)
            for thread in threads:
                todo.put(None)
            for thread in threads:
                thread.join()
            return done
        """,
        ("target.main()",),
        options=PROGRAM,
    ),
    "double_checked": Model(
        """
        import threading

        class Settings:
            _instance = None
            _lock = threading.Lock()

            @classmethod
            def get(cls):
                if cls._instance is None:
                    with cls._lock:
                        if cls._instance is None:
                            cls._instance = cls()
                return cls._instance
        """,
        ("target.Settings.get()", "target.Settings.get()"),
    ),
    "thread_local": Model(
        """
        import threading

        state = threading.local()

        def work(n):
            state.n = getattr(state, "n", 0)
            state.n += n
            return state.n
        """,
        ("target.work(1)", "target.work(2)"),
    ),
    "bounded_buffer": Model(
        """
        import threading

        class Buffer:
            def __init__(self):
                self.items = []
                self.condition = threading.Condition()

            def put(self, item):
                with self.condition:
                    while len(self.items) >= 1:
                        self.condition.wait()
                    self.items.append(item)
                    self.condition.notify_all()

            def get(self):
                with self.condition:
                    while not self.items:
                        self.condition.wait()
                    item = self.items.pop()
                    self.condition.notify_all()
                    return item
        """,
        ("b.put(1)", "b.put(2)", "b.get()", "b.get()"),
        "b = target.Buffer()",
    ),
}
