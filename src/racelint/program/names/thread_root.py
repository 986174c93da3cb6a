"""What a thread root is, and the loops that an event stands in."""

from __future__ import annotations

import sys

import msgspec

from racelint.knowledge.threads import THREAD_BASES, RootKind
from racelint.model.summary import Access, AnyNode, Branch, Call, Loop, Path, Try, Value, With
from racelint.program.names.index import ClassInfo, FunctionInfo


class ThreadRoot(msgspec.Struct, eq=False):
    """Code that runs on its own thread of execution.

    `site` is the call that makes or starts it (None for a handler or a subclass that nobody is seen to start).
    `many`: several may run at once. `own_self`: each has an instance of its own, so that `self` alone is not shared.
    `thread`: the paths in `site_function` that hold the thread object.
    """

    kind: RootKind
    target: FunctionInfo
    site_function: FunctionInfo | None = None
    site: Call | None = None
    many: bool = False
    own_self: bool = False
    receiver: Path | None = None
    bindings: dict[str, Value] = {}
    starts: list[tuple[FunctionInfo, int]] = []
    joins: list[tuple[FunctionInfo, int]] = []
    left: int = -1
    """The last event of the `with` of its executor: leaving that joins it."""
    in_loop: bool = False
    """One call of the function that starts it starts several."""
    cls: ClassInfo | None = None
    """The class of the thread object whose `run` it is."""
    exact: bool = False
    """The thread object is of `cls` and of no class derived from it."""
    one_worker: bool = False
    """Its executor runs one task after the other."""

    @property
    def id(self) -> str:
        where = f"{self.site_function.id}@{self.site.id}" if self.site_function and self.site else "?"
        return f"{self.kind}:{self.target.id}:{where}"

    @property
    def starters(self) -> list[FunctionInfo]:
        """The functions that start it or make it."""
        starting = [function for function, _ in self.starts]
        maker = self.site_function
        return starting if maker is None or maker in starting else [*starting, maker]

    @property
    def in_process(self) -> bool:
        return self.kind in ("thread", "timer", "pool", "handler")

    @property
    def constructs(self) -> bool:
        """The target is a class: what runs is its constructor, on an object that nobody else has."""
        return self.target.ir.name in ("__new__", "__init__")

    @property
    def title(self) -> str:
        """`thread Account.run`, as messages say it."""
        name = self.target.qualname
        return f"{self.kind} `{name}`" if self.kind != "pool" else f"pool task `{name}`"


def class_of_object(root: ThreadRoot) -> ClassInfo | None:
    """The class of the object that a thread runs a method of: its own, or that of whose method starts it."""
    starter, target = root.site_function, root.target
    if root.cls is not None or starter is None or root.receiver != (f"p:{starter.self_name}",):
        return root.cls
    derived = starter.cls is not None and target.cls is not None and target.cls in starter.cls.mro[1:]
    return starter.cls if derived else None


def loops_around(function: FunctionInfo) -> dict[int, list[Loop]]:
    """For each event that stands in any, the loops around it, outermost first."""
    if function.loops is None:
        function.loops = _find_loops(function)
    return function.loops


def in_one_turn(function: FunctionInfo, first: int, second: int) -> bool:
    """Whether two events happen equally often: the same loops, if any, are around both."""
    loops = loops_around(function)
    return loops.get(first) == loops.get(second)


def _find_loops(function: FunctionInfo) -> dict[int, list[Loop]]:
    found: dict[int, list[Loop]] = {}

    def walk(nodes: tuple[AnyNode, ...], loops: list[Loop]) -> None:
        for node in nodes:
            if isinstance(node, (Access, Call)):
                if loops:
                    found[node.id] = loops
            elif type(node) is Branch:
                walk(node.then, loops)
                walk(node.orelse, loops)
            elif type(node) is Loop:
                walk(node.head, [*loops, node] if node.kind == "while" else loops)
                walk(node.body, [*loops, node])
                walk(node.orelse, loops)
            elif type(node) is Try:
                walk(node.body, loops)
                for handler in node.handlers:
                    walk(handler.body, loops)
                walk(node.orelse, loops)
                walk(node.final, loops)
            elif type(node) is With:
                walk(node.body, loops)

    walk(function.ir.body, [])
    return found


def thread_kind(cls: ClassInfo) -> RootKind | None:
    """What an instance of the class is, when started."""
    externals = cls.all_external_bases()
    for name in (*externals, *(base.id.replace(":", ".") for base in cls.mro[1:])):
        if name in THREAD_BASES:
            return THREAD_BASES[name]
    return "thread" if any(map(is_foreign_thread, externals)) and cls.method("run") is not None else None


def is_foreign_thread(dotted: str) -> bool:
    """A class of a module that is not here, and that by its name makes threads: `workers.PeriodicThread`."""
    name = dotted.rpartition(".")[2]
    return name.endswith("Thread") and name[0].isupper() and dotted.partition(".")[0] not in sys.stdlib_module_names
