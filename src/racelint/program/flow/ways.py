"""On which ways through its function an event runs: always, or where parameters hold something true or false."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from racelint.knowledge.locks import ACQUIRES
from racelint.model.summary import (
    Access,
    AnyNode,
    Branch,
    Call,
    Jump,
    Loop,
    Path,
    Raise,
    Return,
    Try,
    Value,
    With,
)
from racelint.program.flow.values import FunctionFacts, nodes_of
from racelint.program.names.index import FunctionInfo

_ASKING = frozenset({"locked", "_is_owned", "is_owned", "held"}) | ACQUIRES
"""Methods by which code asks a lock whether somebody holds it."""
_ASKING_WHO = frozenset({"get_ident", "_get_ident", "current_thread", "currentThread", "getcurrent"})

Given = frozenset[tuple[str, bool]]
"""What parameters must hold: something true, or something false."""


class Way(msgspec.Struct, frozen=True):
    """`certain`: on every way that does not raise. `given`: only then.

    `asked`: names of the locks whose holder was looked at before (`*`: which thread this is).
    """

    certain: bool = True
    given: Given = frozenset()
    asked: frozenset[str] = frozenset()

    def perhaps(self) -> Way:
        return replace(self, certain=False)


_ALWAYS = Way()


class Keyword(msgspec.Struct, frozen=True):
    """`kwargs.pop(name, default)`, and the path of what it gives."""

    name: str
    default: Value
    path: Path


class Ways:
    """The ways of all numbered events of one function."""

    def __init__(self, function: FunctionInfo, facts: FunctionFacts) -> None:
        self.facts = facts
        self._taken = {keyword.path: keyword.name for keyword in keywords(function, facts)}
        self._known: dict[int, Way] = {}
        self._block(function.ir.body, Way())

    def of(self, event: int) -> Way:
        return self._known.get(event, _ALWAYS)

    def _block(self, nodes: tuple[AnyNode, ...], way: Way) -> Way:
        """Walk a block; how its end is reached."""
        for node in nodes:
            way = self._node(node, way)
        return way

    def _node(self, node: AnyNode, way: Way) -> Way:
        match node:
            case Access() | Call():
                self._known[node.id] = way
            case With():
                self._known[node.id] = way
                return self._block(node.body, way)
            case Branch():
                return self._branch(node, way)
            case Loop():
                return self._loop(node, way)
            case Try():
                after = self._block(node.body, way)
                for handler in node.handlers:
                    self._block(handler.body, way.perhaps())
                self._block(node.final, way)
                return self._block(node.orelse, after)
        return way

    def _branch(self, node: Branch, way: Way) -> Way:
        given = frozenset((name, truth) for path, truth in node.implied if (name := self._parameter(path)))
        opposite = frozenset((name, not truth) for name, truth in given if node.test in ("truth", "none"))
        asked = way.asked.union(self._asked(node))
        then = Way(way.certain and node.constant == "true", way.given | given, asked)
        orelse = Way(way.certain and node.constant == "false", way.given | opposite, asked)
        self._block(node.then, then)
        self._block(node.orelse, orelse)
        if _returns(node.then):
            return Way(False, orelse.given, asked)
        if _returns(node.orelse):
            return Way(False, then.given, asked)
        return way

    def _parameter(self, path: Path) -> str:
        """The name of what a caller passes; empty where the path is something else."""
        return path[0][2:] if len(path) == 1 and path[0].startswith("p:") else self._taken.get(path, "")

    def _asked(self, node: Branch) -> Iterator[str]:
        """`if lock.locked():`, `if lock.acquire(False):`, `if self.owner == get_ident():`."""
        for dep in (*node.deps, node.call):
            call = self.facts.call(dep)
            for path in call.func[:1] if call is not None else ():
                if path[-1].removeprefix("g:") in _ASKING_WHO:
                    yield "*"
                elif len(path) > 1 and path[-1] in _ASKING:
                    yield path[-2]

    def _loop(self, node: Loop, way: Way) -> Way:
        self._block(node.head, way)
        self._block(node.body, way if node.infinite else way.perhaps())
        self._block(node.orelse, way)
        return way.perhaps() if any(isinstance(inner, Return) for inner in nodes_of(node.body)) else way


def keywords(function: FunctionInfo, facts: FunctionFacts) -> Iterator[Keyword]:
    """The keywords that a function takes out of its `**kwargs` by their names."""
    rest = next((f"p:{param.name}" for param in function.ir.params if param.kind == "double-star"), "")
    for call in facts.calls if rest else ():
        if call.func in (((rest, "pop"),), ((rest, "get"),)) and len(call.args) == 2:
            named, default = (argument.value for argument in call.args)
            if len(named) == 1 and named[0][0].startswith("k:str:"):
                yield Keyword(named[0][0][6:].strip("'\""), default, (f"c:{call.id}",))


def _returns(arm: tuple[AnyNode, ...]) -> bool:
    """An arm after which the function, or the turn of a loop, is over without an error."""
    if not arm:
        return False
    last = arm[-1]
    if isinstance(last, (Branch, Try, With)):
        return any(isinstance(node, (Return, Jump)) for node in nodes_of((last,)))
    return isinstance(last, (Return, Jump)) and not isinstance(last, Raise)


def truth_of(value: Value) -> bool | None:
    """Whether what is passed is true; None where it is not known."""
    if len(value) != 1:
        return None
    root = value[0][0]
    if root in ("k:None", "k:False", "k:int:0", "k:str:''", 'k:str:""'):
        return False
    if root.startswith("k:"):
        return None if root in ("k:float", "k:str:", "k:int:") else True
    if len(value[0]) == 1 and root.startswith(("fn:", "cls:")):
        return True
    return None
