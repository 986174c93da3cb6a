"""A source tree of any size: packages of 10,000 lines, each of modules that import each other, made from a seed.

A third of the modules have threads and locks, as in the packages that are measured; the rest is plain code. Nothing of
it is ever run.
"""

from __future__ import annotations

import random
from pathlib import Path
from textwrap import indent

PACKAGE_LINES = 10_000
MODULE_LINES = 250
CONCURRENT = 1 / 3

_FUNCTION = """\
def {name}(items, limit={number}):
    \"\"\"Sum what is below the limit.\"\"\"
    total = 0
    seen = {{}}
    for position, item in enumerate(items):
        if item is None or position > limit:
            continue
        key = str(item).strip().lower()
        if key in seen:
            seen[key] += 1
        else:
            seen[key] = {used}(key, position)
        total += len(key) * {number}
    return total, sorted(seen)
"""
_PLAIN = """\
class {title}:
    \"\"\"A record with a history.\"\"\"

    def __init__(self, name, parent=None):
        self.name = name
        self.parent = parent
        self.history = []
        self.total = {number}

    def add(self, value):
        if value < 0:
            raise ValueError(f"{{self.name}}: {{value}} is negative")
        self.history.append(value)
        self.total += value
        return self

    def path(self):
        names = []
        node = self
        while node is not None:
            names.append(node.name)
            node = node.parent
        return "/".join(reversed(names))

    def average(self):
        return self.total / len(self.history) if self.history else {used}(self.name, {number})
"""
_GUARDED = """\
class {title}:
    \"\"\"A store that several threads share.\"\"\"

    def __init__(self, size={number}):
        self._lock = threading.Lock()
        self._entries = {{}}
        self._size = size

    def get(self, key):
        with self._lock:
            return self._entries.get(key)

    def put(self, key, value):
        with self._lock:
            if len(self._entries) >= self._size:
                self._entries.pop(next(iter(self._entries)))
            self._entries[key] = {used}(value, self._size)

    def drop(self, keys):
        dropped = 0
        with self._lock:
            for key in keys:
                if self._entries.pop(key, None) is not None:
                    dropped += 1
        return dropped
"""
_WORKER = """\
class {title}:
    \"\"\"A thread with a queue.\"\"\"

    def __init__(self):
        self._tasks = queue.Queue()
        self._done = threading.Event()
        self._lock = threading.Lock()
        self._count = 0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        self._thread.start()

    def submit(self, task):
        self._tasks.put(task)

    def _run(self):
        while not self._done.is_set():
            task = self._tasks.get()
            if task is None:
                break
            with self._lock:
                self._count += {used}(task, {number})

    def stop(self):
        self._done.set()
        self._tasks.put(None)
        self._thread.join()

    def count(self):
        with self._lock:
            return self._count
"""


def write_tree(folder: Path, lines: int) -> Path:
    """A project of about so many lines in `folder`; the smaller of two trees is the beginning of the larger."""
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    for number in range(max(1, lines // PACKAGE_LINES)):
        _write_package(folder / f"part{number:04}", random.Random(number))
    return folder


def _write_package(folder: Path, chance: random.Random) -> None:
    folder.mkdir()
    (folder / "__init__.py").write_text(f'"""Part {folder.name}."""\n')
    for number in range(PACKAGE_LINES // MODULE_LINES):
        (folder / f"module{number:02}.py").write_text(_module(folder.name, number, chance))


def _module(package: str, number: int, chance: random.Random) -> str:
    """One module, which imports two that come before it."""
    earlier = chance.sample(range(number), min(2, number))
    concurrent = chance.random() < CONCURRENT
    imports = ["import queue", "import threading", ""] if concurrent else []
    imports += [f"from {package}.module{other:02} import function0 as from{other:02}" for other in earlier]
    used = [f"from{other:02}" for other in earlier] or ["max"]
    parts = [_FUNCTION.format(name="function0", number=number, used=chance.choice(used))]
    lines = len(parts[0].splitlines())
    while lines < MODULE_LINES - 25:
        kinds = (_FUNCTION, _PLAIN, _GUARDED, _WORKER) if concurrent else (_FUNCTION, _PLAIN, _PLAIN)
        names = {"name": f"function{len(parts)}", "title": f"Kind{number:02}{len(parts)}"}
        parts.append(chance.choice(kinds).format(**names, number=chance.randrange(2, 99), used=chance.choice(used)))
        lines += len(parts[-1].splitlines()) + 2
    main = f"if __name__ == '__main__':\n{indent('print(function0([1, 2, 3]))', '    ')}\n"
    return "\n\n".join(["\n".join([f'"""Module {number}."""', "", *imports, ""]), *parts, main])
