"""RL201: make what stands between an acquire and its release fail, then see whether another thread gets the lock."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from racelint.confirm.builder import Builder
from racelint.confirm.errors import CannotBuild
from racelint.confirm.operations import Entry, call_of
from racelint.confirm.outline import ClassOutline, FunctionOutline, dotted, own_nodes
from racelint.confirm.scenes import Stage, subject_of
from racelint.model.scenario import Answer, Operation, Scenario

FAILURES = 4
"""Calls of one critical section that are made to fail, in source order."""

LOCK_METHODS = frozenset({"acquire", "release", "notify", "notify_all", "wait", "wait_for", "locked"})

PRELUDE = """\
class InjectedFailure(Exception):
    pass
def fails(*args, **kwargs):
    raise InjectedFailure
class FailsAt:
    def __init__(self, real, name):
        self.__dict__.update(real=real, name=name)
    def __getattr__(self, name):
        return fails if name == self.name else getattr(self.real, name)
def let_fail(owner, holder, name):
    try:
        setattr(owner, name, fails)
    except (AttributeError, TypeError):
        holder(FailsAt(owner, name))"""

NEXT = "the next to take"


@dataclass(frozen=True)
class CriticalSection:
    """What an `acquire` call opens: the lock as it is written, and the calls before its last release."""

    lock: str
    calls: tuple[ast.Call, ...]


def critical_section(function: FunctionOutline, line: int) -> CriticalSection | None:
    """The section opened by the acquire on `line`, or by the first one of the function."""
    calls = sorted(
        (n for n in own_nodes(function.node) if isinstance(n, ast.Call)), key=lambda n: (n.lineno, n.col_offset)
    )
    acquires = [call for call in calls if _method(call) == "acquire"]
    chosen = next((call for call in acquires if call.lineno == line), acquires[0] if acquires else None)
    if chosen is None:
        return None
    lock = _receiver(chosen)
    releases = [
        c.lineno for c in calls if _method(c) == "release" and _receiver(c) == lock and c.lineno >= chosen.lineno
    ]
    last = max(releases, default=function.node.end_lineno or chosen.lineno)
    own = [c for c in calls if _method(c) in LOCK_METHODS and _receiver(c) == lock]
    inside = [c for c in calls if chosen.lineno <= c.lineno <= last and c not in own]
    return CriticalSection(lock, tuple(inside))


def shows_leak(answer: Answer) -> bool:
    """Whether the one that waits for ever is the other thread alone: the operation itself has ended."""
    waiting = [part.strip() for part in (answer.outcome or "").split(";") if part.strip()]
    return bool(waiting) and all(part.startswith(NEXT) for part in waiting)


def failing_scenario(stage: Stage, entry: Entry, section: CriticalSection, failing: ast.Call | None) -> Scenario:
    """The operation, as it is or with one call of the section made to raise. Raises CannotBuild."""
    builder = stage.builder()
    subject = subject_of(builder, entry)
    call = call_of(builder, entry, subject)
    lock = outside(builder, section.lock, entry.cls, subject)
    label = entry.label
    if failing is not None:
        builder.statements.extend([PRELUDE, _patch(builder, failing, entry, subject)])
        label = f"{entry.label} with {ast.unparse(failing.func)} raising"
    indented = "\n".join(f"    {line}" for line in call.operation.source.splitlines())
    first = Operation(label, f"try:\n{indented}\nexcept Exception:\n    pass")
    second = Operation(f"{NEXT} {section.lock}", f"{lock}.acquire()\n{lock}.release()")
    return stage.scenario("threads", builder.setup, [first, second])


def _patch(builder: Builder, call: ast.Call, entry: Entry, subject: str) -> str:
    """The statement that makes the call raise. Raises CannotBuild where it cannot be reached from outside."""
    name = dotted(call.func)
    if not name:
        raise CannotBuild(f"`{ast.unparse(call.func)}` cannot be made to fail from outside", "")
    head, _, last = name.rpartition(".")
    if head:
        owner = outside(builder, head, entry.cls, subject)
        return _holder(owner, last)
    if f"arg_{name}" in builder.names:
        return f"arg_{name} = fails"
    return f"target.{name} = fails"


def _holder(owner: str, last: str) -> str:
    """Patch an object found at `owner`; one that takes no attributes is replaced where it is held."""
    holder, _, attribute = owner.rpartition(".")
    if holder:
        return f"let_fail({owner}, lambda made: setattr({holder}, {attribute!r}, made), {last!r})"
    return f"{owner} = FailsAt({owner}, {last!r})"


def outside(builder: Builder, name: str, cls: ClassOutline | None, subject: str) -> str:
    """A name of the function as the set-up sees it. Raises CannotBuild for a local of the function."""
    head, dot, rest = name.partition(".")
    if head == "self" and subject:
        return f"{subject}{dot}{rest}"
    if head == "cls" and cls is not None:
        return f"target.{cls.qualname}{dot}{rest}"
    if f"arg_{head}" in builder.names:
        return f"arg_{head}{dot}{rest}"
    outline = builder.outline
    if head in outline.variables or head in outline.classes or head in outline.functions or head in outline.imports:
        return f"target.{name}"
    raise CannotBuild(f"`{name}` is a local name: whether it stays locked cannot be seen from outside", "")


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _receiver(call: ast.Call) -> str:
    return ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""
