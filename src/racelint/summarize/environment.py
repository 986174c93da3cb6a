"""What local names stand for at a point of a function: copy propagation, flow-sensitive, joined where paths meet."""

from __future__ import annotations

import msgspec

from racelint.model.summary import ELEMENT, Path, Value

MAX_ALTERNATIVES = 4
MAX_FIELDS = 5
MAX_DEPS = 24


class Operand(msgspec.Struct, frozen=True):
    """What an expression may denote and the reads and calls (event numbers, ascending) that it was computed from.

    `parts` is what arithmetic combines, where the expression is that.
    """

    value: Value = ()
    deps: tuple[int, ...] = ()
    parts: Value = ()


NOTHING = Operand()


def deps_of(*operands: Operand) -> tuple[int, ...]:
    """The union of what the operands were computed from; the newest are kept where there are very many."""
    if len(operands) == 1:
        return operands[0].deps
    known = {operand.deps for operand in operands}
    known.discard(())
    if len(known) <= 1:
        return known.pop()[-MAX_DEPS:] if known else ()
    return tuple(sorted(set().union(*known))[-MAX_DEPS:])


def joined(left: Operand, right: Operand) -> Operand:
    """What holds where two paths meet."""
    if left == right:
        return left
    values = tuple(dict.fromkeys((*left.value, *right.value)))[:MAX_ALTERNATIVES]
    return Operand(values, deps_of(left, right))


def extended(base: Operand, field: str) -> Value:
    """The base's access paths with one more field; paths past the depth bound are dropped."""
    return tuple((*path, field) for path in base.value if len(path) <= MAX_FIELDS and not is_constant(path))


def is_constant(path: Path) -> bool:
    return path[0].startswith("k:")


class Environment:
    """The local variables of one function while it is lowered."""

    def __init__(self) -> None:
        self._names: dict[str, Operand] = {}

    def get(self, name: str) -> Operand | None:
        return self._names.get(name)

    def assign(self, name: str, operand: Operand) -> None:
        self._names[name] = operand

    def replace(self, path: Path, event: int, value: Value) -> None:
        """A write puts `value` at `path`: names that stand for what was there before go on doing so."""
        if ELEMENT in path or path in value:
            return
        size = len(path)
        for name, operand in self._names.items():
            if any(mine[:size] == path for mine in operand.value):
                former = ((f"o:{event}", *mine[size:]) if mine[:size] == path else mine for mine in operand.value)
                self._names[name] = Operand(tuple(former), operand.deps)

    def snapshot(self) -> dict[str, Operand]:
        return dict(self._names)

    def restore(self, names: dict[str, Operand]) -> None:
        self._names = dict(names)

    def join(self, other: dict[str, Operand]) -> None:
        """Merge the state at the end of another path into this one."""
        for name, operand in other.items():
            mine = self._names.get(name)
            if mine is not operand:
                self._names[name] = operand if mine is None else joined(mine, operand)

    def forget(self, names: set[str]) -> None:
        """Names that a loop assigns: what they held before it, or something unknown."""
        for name in sorted(names):
            before = self._names.get(name, NOTHING)
            unknown: Path = (f"l:{name}",)
            self._names[name] = Operand(tuple(dict.fromkeys((*before.value, unknown)))[:MAX_ALTERNATIVES], before.deps)
