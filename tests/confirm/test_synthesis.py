"""Scenarios made up from source alone: which text comes out for which shape of code."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.confirm.combinations import Combination, callers_of
from racelint.confirm.errors import CannotBuild
from racelint.confirm.fixtures import Fixtures, read_fixtures
from racelint.confirm.operations import Entry
from racelint.confirm.outline import ClassOutline
from racelint.confirm.project import Project, layout_of
from racelint.confirm.recipes import mixed_waiters
from racelint.confirm.recorded import Recorded
from racelint.confirm.scenes import Stage, instrumented, threads_scenario
from racelint.confirm.targets import resolved
from racelint.confirm.ways_in import entries_of
from racelint.model.scenario import Scenario


def stage_of(tmp_path: Path, source: str, fixtures: Fixtures | None = None) -> Stage:
    path = tmp_path / "mod.py"
    path.write_text(source)
    project = Project(tmp_path)
    return Stage(project, fixtures or Fixtures(), project.module(path))


def scenario_of(stage: Stage, *names: str, swapped: bool = False) -> Scenario:
    threads = []
    for name in names:
        found = resolved(stage, name)
        assert not isinstance(found, ClassOutline)
        threads.append((Entry(stage.module, found, stage.module.classes.get(name.rpartition(".")[0])),))
    return threads_scenario(stage, Combination(tuple(threads), swapped))


def built(tmp_path: Path, source: str, name: str) -> tuple[str, str]:
    """The set-up and the operation for one function or method with itself."""
    scenario = scenario_of(stage_of(tmp_path, source), name, name)
    compile(scenario.setup, "setup", "exec")
    compile(scenario.operations[0].source, "operation", "exec")
    assert scenario.operations[0] == scenario.operations[1]
    return scenario.setup, scenario.operations[0].source


CONSTRUCTORS = [
    ("class A:\n    def m(self): ...", "subject = target.A()"),
    ("class A:\n    def __init__(self, n=3): ...\n    def m(self): ...", "subject = target.A()"),
    (
        "class A:\n    def __init__(self, n: int, *, s: str): ...\n    def m(self): ...",
        "subject = target.A(1, s='key')",
    ),
    ("class A:\n    def __init__(self, *args, **kw): ...\n    def m(self): ...", "subject = target.A()"),
    ("class A:\n    def __init__(self, n): ...\n    def m(self): ...\nx = A(100)", "subject = target.A(100)"),
    (
        "class A:\n    def __init__(self, n): ...\n    def m(self): ...\n"
        "if __name__ == '__main__':\n    start = 50\n    a = A(start)",
        "subject = target.A(50)",
    ),
    (
        "import threading\nclass A:\n    def __init__(self, lock: threading.Lock): ...\n    def m(self): ...",
        "import threading\nsubject = target.A(threading.Lock())",
    ),
    (
        "from pathlib import Path\nclass A:\n    def __init__(self, at: Path): ...\n    def m(self): ...",
        "import pathlib\nsubject = target.A(pathlib.Path('racelint-file'))",
    ),
    (
        "class B:\n    def __init__(self, n: int): ...\n"
        "class A:\n    def __init__(self, b: 'B'): ...\n    def m(self): ...",
        "subject = target.A(target.B(1))",
    ),
    (
        "class B: ...\n"
        "class A:\n    def __init__(self, b: B | None, c: dict[str, list[int]]): ...\n    def m(self): ...",
        "subject = target.A(target.B(), {'key': [1, 1]})",
    ),
    (
        "from typing import Optional, Callable\nclass A:\n"
        "    def __init__(self, f: Callable[[int], str], o: Optional[int]): ...\n    def m(self): ...",
        "subject = target.A(lambda *args, **kwargs: 'key', 1)",
    ),
    (
        "from enum import Enum\nclass E(Enum):\n    X = 1\n"
        "class A:\n    def __init__(self, e: E): ...\n    def m(self): ...",
        "subject = target.A(next(iter(target.E)))",
    ),
    (
        "from dataclasses import dataclass\n@dataclass\nclass A:\n    n: int\n    name: str\n    def m(self): ...",
        "subject = target.A(1, 'key')",
    ),
    (
        "from dataclasses import dataclass\n@dataclass\nclass B:\n    n: int\n@dataclass\nclass A(B):\n"
        "    flag: bool\n    def m(self): ...",
        "subject = target.A(1, True)",
    ),
    (
        "class B:\n    def __init__(self, n: float): ...\nclass A(B):\n    def m(self): ...",
        "subject = target.A(1.0)",
    ),
    (
        "from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n    def f(self): ...\n"
        "    def m(self): ...\nclass C(A):\n    def f(self): ...",
        "subject = target.C()",
    ),
    (
        "from typing import NewType, TypeVar\nUser = NewType('User', str)\nT = TypeVar('T')\nAlias = bytes\nclass A:\n"
        "    def __init__(self, u: User, t: T, b: Alias): ...\n    def m(self): ...",
        "subject = target.A('key', 1, b'data')",
    ),
    (
        "class A:\n    def __init__(self, fn): self.fn = fn\n    def m(self): return self.fn()",
        "subject = target.A(lambda *args, **kwargs: 1)",
    ),
    (
        "class A:\n    def __init__(self, q): self.q = q\n    def m(self): self.q.put(1); self.q.task_done()",
        "import queue\nsubject = target.A(queue.Queue())",
    ),
    (
        "class S:\n    def send(self): ...\nclass A:\n    def __init__(self, sock): self.sock = sock\n"
        "    def m(self): self.sock.send()",
        "subject = target.A(target.S())",
    ),
    (
        "class A:\n    def __init__(self, client): self.client = client\n    def m(self): self.client.fetch_all()\n"
        "    @classmethod\n    def local(cls) -> 'A': return cls(None)",
        "subject = target.A.local()",
    ),
    ("class A:\n    def __init__(self, a: 'A'): ...\n    def m(self): ...", "subject = target.A(None)"),
]


@pytest.mark.parametrize(("source", "setup"), CONSTRUCTORS, ids=range(len(CONSTRUCTORS)))
def test_constructors(tmp_path: Path, source: str, setup: str) -> None:
    assert built(tmp_path, source, "A.m") == (setup, "subject.m()")


OPERATIONS = [
    ("def f(): ...", "f", "", "target.f()"),
    ("def f(n: int, name: str = 'x'): ...", "f", "", "target.f(1)"),
    ("def f(count):\n    for _ in range(count): ...", "f", "", "target.f(3)"),
    ("def f(n):\n    for _ in range(n): ...\nf(1000000)", "f", "", "target.f(3)"),
    ("def f(key, amount): ...", "f", "", "target.f('key', 1)"),
    ("def f(key, amount): ...\ndef g(): f('ada', 50)", "f", "", "target.f('ada', 50)"),
    ("def f(items):\n    for i in items: ...", "f", "arg_items = [1, 2]", "target.f(arg_items)"),
    ("def f(zzz):\n    zzz.append(1)", "f", "arg_zzz = [1, 2]", "target.f(arg_zzz)"),
    ("def f(zzz):\n    with zzz: ...", "f", "import threading\narg_zzz = threading.Lock()", "target.f(arg_zzz)"),
    ("def f():\n    yield 1", "f", "import itertools", "list(itertools.islice(target.f(), 3))"),
    (
        "from contextlib import contextmanager\n@contextmanager\ndef f():\n    yield",
        "f",
        "",
        "with target.f():\n    pass",
    ),
    ("class A:\n    @property\n    def p(self): ...", "A.p", "subject = target.A()", "subject.p"),
    ("class A:\n    @classmethod\n    def c(cls, n: int): ...", "A.c", "", "target.A.c(1)"),
    ("class A:\n    @staticmethod\n    def s(n: int): ...", "A.s", "", "target.A.s(1)"),
    ("class A:\n    def __getitem__(self, k): ...", "A.__getitem__", "subject = target.A()", "subject['key']"),
    ("class A:\n    def __setitem__(self, k, v): ...", "A.__setitem__", "subject = target.A()", "subject['key'] = 1"),
    ("class A:\n    def __call__(self, n: int): ...", "A.__call__", "subject = target.A()", "subject(1)"),
    ("class A:\n    def __next__(self): ...", "A.__next__", "subject = target.A()", "next(subject)"),
    (
        "class A:\n    def __enter__(self): ...\n    def __exit__(self, *a): ...",
        "A.__enter__",
        "subject = target.A()",
        "with subject:\n    pass",
    ),
    ("class O:\n    class I:\n        def m(self): ...", "O.I.m", "subject = target.O.I()", "subject.m()"),
    (
        "import threading\nclass A:\n    def m(self, n): ...\na = A()\nthreading.Thread(target=a.m, args=(7,)).start()",
        "A.m",
        "subject = target.A()",
        "subject.m(7)",
    ),
    (
        "def make():\n    n = 0\n    def inc(by):\n        nonlocal n\n        n += by\n    return inc",
        "make.<locals>.inc",
        "made_by_make = target.make()",
        "made_by_make(1)",
    ),
    ("class A:\n    async def m(self, n): ...", "A.m", "subject = target.A()", "run_task(subject.m(1))"),
    (
        "def make():\n    n = 0\n    def inc(): ...\n    def get(): return n\n    return inc, get",
        "make.<locals>.get",
        "made_by_make = target.make()",
        "made_by_make[1]()",
    ),
]


@pytest.mark.parametrize(("source", "name", "setup", "operation"), OPERATIONS, ids=range(len(OPERATIONS)))
def test_operations(tmp_path: Path, source: str, name: str, setup: str, operation: str) -> None:
    assert built(tmp_path, source, name) == (setup, operation)


REFUSED = [
    ("class A:\n    async def m(self):\n        yield 1", "A.m", "asynchronous generator"),
    ("def f():\n    def g(): ...\n    g()", "f.<locals>.g", "does not return it"),
]


@pytest.mark.parametrize(("source", "name", "reason"), REFUSED, ids=range(len(REFUSED)))
def test_what_cannot_be_built_says_why(tmp_path: Path, source: str, name: str, reason: str) -> None:
    with pytest.raises(CannotBuild, match=reason):
        built(tmp_path, source, name)


def test_arguments_come_from_the_whole_project(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_mod.py").write_text(
        "import mod\nKEPT = object()\ndef test_a():\n    mod.A(KEPT, 1)\n    mod.A(mod.B(), 'north')\n"
    )
    source = "class B: ...\nclass A:\n    def __init__(self, b, where): ...\n    def m(self): ..."
    setup, _ = built(tmp_path, source, "A.m")
    assert setup == "subject = target.A(target.B(), 'north')"


def test_abstract_classes_are_filled_in(tmp_path: Path) -> None:
    source = (
        "from abc import ABC, abstractmethod\nclass A(ABC):\n    def __init__(self, n: int): ...\n"
        "    @abstractmethod\n    def m(self): ..."
    )
    setup, _ = built(tmp_path, source, "A.m")
    assert setup == "subject = concrete(target.A)(1)"


def test_namespace_packages_are_named_whole(tmp_path: Path) -> None:
    package = tmp_path / "acme" / "cloud" / "bank"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "client.py").write_text("from acme.cloud.bank import errors\n")
    (package / "errors.py").write_text("")
    assert layout_of(package / "errors.py", tmp_path).module == "acme.cloud.bank.errors"
    assert layout_of(package / "errors.py", tmp_path).sys_path == (str(tmp_path),)


def test_fixtures_say_how_to_call_what_nothing_reaches(tmp_path: Path) -> None:
    fixtures = Fixtures("def call_push(subject):\n    subject.channel().push(1)\n", frozenset({"call_push"}))
    source = (
        "class A:\n    def channel(self):\n        class C:\n            def push(self, n): ...\n        return C()"
    )
    stage = stage_of(tmp_path, source + "\n    def push(self, a, b): ...\n", fixtures)
    scenario = scenario_of(stage, "A.push", "A.push")
    assert scenario.operations[0].source == "call_push(subject)"
    assert scenario.before.startswith("def call_push")


def test_fixtures_build_what_cannot_be_made_up(tmp_path: Path) -> None:
    fixture_file = tmp_path / "fixtures.py"
    fixture_file.write_text("import mod\n\ndef make_A():\n    return mod.A(7)\n")
    stage = stage_of(
        tmp_path,
        "class A:\n    def __init__(self, gizmo): gizmo.frob()\n    def m(self): ...",
        read_fixtures(str(fixture_file), {}, Recorded()),
    )
    scenario = scenario_of(stage, "A.m", "A.m")
    assert scenario.setup.endswith("subject = make_A()")
    assert "return mod.A(7)" in scenario.before


def test_threads_share_one_subject_and_its_collaborators(tmp_path: Path) -> None:
    source = (
        "class Account:\n    def __init__(self): self.money = 0\n    def add(self): self.money += 1\n"
        "class Clerk:\n    def __init__(self, account: Account): self.account = account\n"
        "    def work(self): self.account.add()\n"
    )
    scenario = scenario_of(stage_of(tmp_path, source), "Account.add", "Clerk.work")
    assert scenario.setup == "subject = target.Account()\nsubject_2 = target.Clerk(subject)"
    assert [op.source for op in scenario.operations] == ["subject.add()", "subject_2.work()"]


def test_two_objects_of_one_class_are_exchanged(tmp_path: Path) -> None:
    source = (
        "class Account:\n    def __init__(self): self.money = 0\n"
        "    def pay(self, other: 'Account', n: int): ...\n"
        "def move(src, dst):\n    src.money -= 1\n    dst.money += 1\n"
    )
    stage = stage_of(tmp_path, source)
    scenario = scenario_of(stage, "Account.pay", "Account.pay", swapped=True)
    assert [op.source for op in scenario.operations] == ["subject.pay(arg_other, 1)", "arg_other.pay(subject, 1)"]
    scenario = scenario_of(stage, "move", "move", swapped=True)
    assert [op.source for op in scenario.operations] == [
        "target.move(arg_src, arg_dst)",
        "target.move(arg_dst, arg_src)",
    ]


def test_project_imports_get_yield_points(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import b\nimport json\n")
    (tmp_path / "b.py").write_text("from c import thing\n")
    (tmp_path / "c.py").write_text("thing = 1\n")
    (tmp_path / "d.py").write_text("")
    project = Project(tmp_path)
    assert [path.name for path in instrumented(project, project.module(tmp_path / "a.py"))] == ["a.py", "b.py", "c.py"]


def test_private_methods_are_reached_by_those_that_call_them(tmp_path: Path) -> None:
    source = (
        "class A:\n    def far(self): self.near()\n    def near(self): self._it()\n"
        "    def _it(self): self.n = 1\n    def other(self): ...\n"
    )
    stage = stage_of(tmp_path, source)
    cls = stage.module.classes["A"]
    assert [caller.name for caller in callers_of(stage.footprints, cls, cls.methods["_it"])] == ["near", "far"]


def test_flags_of_constructors_are_set_otherwise_when_chosen(tmp_path: Path) -> None:
    source = (
        "class A:\n    def __init__(self, n=1, opened: bool | None = None, *, lazy=False): ...\n    def m(self): ...\n"
    )
    stage = stage_of(tmp_path, source)
    assert scenario_of(stage, "A.m", "A.m").setup == "subject = target.A()"
    assert stage.guesses.options == {"opened": ("False", "True"), "lazy": ("True",)}
    stage.guesses.chosen = {"opened": "False", "lazy": "True"}
    assert scenario_of(stage, "A.m", "A.m").setup == "subject = target.A(opened=False, lazy=True)"


FLAGS = """\
import threading
class Flags:
    def __init__(self):
        self.cv, self.other = threading.Condition(), threading.Condition()
        self.loaded = self.saved = False
    def load(self):
        with self.cv:
            self.loaded = True
            self.cv.notify()
    def save(self):
        with self.cv:
            self.saved = True
            self.cv.notify()
    def tell(self):
        with self.other:
            self.other.notify()
    def wait_loaded(self):
        with self.cv:
            while not self.loaded:
                self.cv.wait()
    def wait_saved(self):
        with self.cv:
            while not self.saved:
                self.cv.wait()
"""


def test_waiters_of_two_kinds_can_both_end(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, FLAGS)
    methods = stage.module.classes["Flags"].methods
    attempts = mixed_waiters(stage, [methods[name] for name in ("load", "wait_loaded", "wait_saved")])
    labels = [[operation.label for operation in attempt().operations] for attempt in attempts]
    assert ["Flags.wait_loaded", "Flags.wait_saved", "Flags.load", "Flags.save"] in labels


HELD = """\
import threading
class Pool:
    def __init__(self):
        self._lock = threading.Lock()
        self.made = 0
    def get(self):
        with self._lock:
            return self.make()
    def make(self):
        self.made += 1
    def count(self):
        return self.made
    def both(self):
        with self._lock:
            self.add()
        self.add()
    def add(self):
        self.made += 1
"""


def test_what_callers_run_under_their_lock_is_run_so(tmp_path: Path) -> None:
    stage = stage_of(tmp_path, HELD)
    stage.code = "RL101"
    sources = {name: scenario_of(stage, f"Pool.{name}").operations[0].source for name in ("make", "count", "add")}
    assert sources == {
        "make": "with subject._lock:\n    subject.make()",
        "count": "subject.count()",
        "add": "subject.add()",
    }


def test_an_override_is_not_what_its_base_calls(tmp_path: Path) -> None:
    derived = "class Other(Pool):\n    def make(self): ...\n    def free(self):\n        self.make()\n"
    stage = stage_of(tmp_path, HELD + derived)
    stage.code = "RL101"
    assert scenario_of(stage, "Pool.make").operations[0].source == "with subject._lock:\n    subject.make()"
    assert scenario_of(stage, "Other.make").operations[0].source == "subject.make()"


def test_coroutines_are_run_themselves_whatever_the_rule(tmp_path: Path) -> None:
    source = "class Kernel:\n    def start(self):\n        self.handle\n    async def handle(self): ...\n"
    stage = stage_of(tmp_path, source)
    stage.code = "RL206"
    assert [entry.label for entry in entries_of(stage, stage.module.functions["Kernel.handle"])] == ["Kernel.handle"]


def test_what_the_user_makes_goes_before_what_calls_elsewhere_pass(tmp_path: Path) -> None:
    source = "class A:\n    def m(self, kind, n): ...\n\ndef use(a):\n    a.m('ping', 7)\n"
    fixture_file = tmp_path / "fixtures.py"
    fixture_file.write_text("def make_kind():\n    return 'message'\n")
    fixtures = read_fixtures(str(fixture_file), {}, Recorded())
    supplied = scenario_of(stage_of(tmp_path, source, fixtures), "A.m", "A.m")
    assert "arg_kind = make_kind()" in supplied.setup
    assert "'ping'" in scenario_of(stage_of(tmp_path, source), "A.m", "A.m").operations[0].source
