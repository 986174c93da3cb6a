"""RL201: make what stands between an acquire and its release fail, then see whether another thread gets the lock.

What fails is a call, which raises, or the acquire of another lock, which is refused where it does not wait for ever.
"""

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
def is_refused(*args, **kwargs):
    return False
class FailsAt:
    def __init__(self, real, name, failure):
        self.__dict__.update(real=real, name=name, failure=failure)
    def __getattr__(self, name):
        return self.failure if name == self.name else getattr(self.real, name)
def let_fail(owner, holder, name, failure):
    try:
        setattr(owner, name, failure)
    except (AttributeError, TypeError):
        holder(FailsAt(owner, name, failure))"""

NEXT = "the next to take"
TAKE_ALL = """\
for _ in permits:
    {lock}.acquire()
for _ in permits:
    {lock}.release()"""
"""As often as a semaphore lets anybody in; once for a lock."""


@dataclass(frozen=True)
class CriticalSection:
    """What an `acquire` call opens: the lock as it is written, and the calls before its last release."""

    lock: str
    calls: tuple[ast.Call, ...]
    is_handed_on: bool = False
    """The function gives the lock back on no way: its caller has it."""

    @property
    def failures(self) -> list[ast.Call | None]:
        """Calls that are made to fail in turn, None for none of them.

        Where another lock may be refused, who gets both is meant to keep them: only failures tell.
        """
        refused = [call for call in self.calls if may_be_refused(call)]
        others = [call for call in self.calls if call not in refused][:FAILURES]
        if refused:
            return [*refused] if self.is_handed_on else [*refused, *others]
        return [None, *others]


def critical_section(function: FunctionOutline, line: int) -> CriticalSection | None:
    """The section opened by the acquire on `line`, or by the first one of the function."""
    calls = _calls(function)
    acquires = [call for call in calls if _method(call) == "acquire"]
    chosen = next((call for call in acquires if call.lineno == line), acquires[0] if acquires else None)
    if chosen is None:
        return None
    lock = _receiver(chosen)
    releases = [
        c.lineno for c in calls if _method(c) == "release" and _receiver(c) == lock and c.lineno >= chosen.lineno
    ]
    last = max(releases, default=function.node.end_lineno or chosen.lineno)
    return CriticalSection(lock, _between(calls, lock, chosen.lineno, last), is_handed_on=not releases)


def ended_section(function: FunctionOutline, line: int) -> CriticalSection | None:
    """What the function does before its release on `line` of a lock that another function took."""
    calls = _calls(function)
    release = next((call for call in calls if call.lineno == line and _method(call) == "release"), None)
    if release is None:
        return None
    lock = _receiver(release)
    return CriticalSection(lock, _between(calls, lock, function.node.lineno, line))


def helped_section(function: FunctionOutline, line: int, methods: dict[str, FunctionOutline]) -> CriticalSection | None:
    """What the function does after the call on `line` of a method of its object that takes a lock and leaves it so."""
    calls = _calls(function)
    for call in calls:
        helper = methods.get(_method(call)) if call.lineno == line and _receiver(call) == "self" else None
        lock = taken_by(helper) if helper is not None else ""
        if lock:
            inside = _between(calls, lock, line, function.node.end_lineno or line)
            return CriticalSection(lock, tuple(c for c in inside if c is not call and _receiver(c) != "self"))
    return None


def taken_by(function: FunctionOutline) -> str:
    """The first lock that the function acquires and does not release, as it is written; empty for none."""
    calls = _calls(function)
    released = {_receiver(call) for call in calls if _method(call) == "release"}
    taken = (_receiver(call) for call in calls if _method(call) == "acquire")
    return next((lock for lock in taken if lock not in released), "")


def released_by(function: FunctionOutline) -> str:
    """The first lock that the function releases and did not acquire, as it is written; empty for none."""
    calls = _calls(function)
    taken = {_receiver(call) for call in calls if _method(call) == "acquire"}
    released = (_receiver(call) for call in calls if _method(call) == "release")
    return next((lock for lock in released if lock not in taken), "")


def _calls(function: FunctionOutline) -> list[ast.Call]:
    calls = [node for node in own_nodes(function.node) if isinstance(node, ast.Call)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _between(calls: list[ast.Call], lock: str, first: int, last: int) -> tuple[ast.Call, ...]:
    """The calls on those lines that are none of the lock's own."""
    inside = (call for call in calls if first <= call.lineno <= last)
    return tuple(call for call in inside if not (_method(call) in LOCK_METHODS and _receiver(call) == lock))


def shows_leak(answer: Answer) -> bool:
    """Whether the one that waits for ever is the other thread alone: the operation itself has ended."""
    waiting = [part.strip() for part in (answer.outcome or "").split(";") if part.strip()]
    return bool(waiting) and all(part.startswith(NEXT) for part in waiting)


def failing_scenario(
    stage: Stage, entry: Entry, section: CriticalSection, failing: ast.Call | None, taker: Entry | None = None
) -> Scenario:
    """The operation, as it is or with one call of the section made to raise. Raises CannotBuild.

    `taker` is run before it on the same thread where it is that which takes the lock.
    """
    builder = stage.builder()
    subject = subject_of(builder, entry)
    entries = [entry] if taker is None else [taker, entry]
    sources = [call_of(builder, each, subject).operation.source for each in entries]
    lock = outside(builder, section.lock, entry.cls, subject)
    label = ", then ".join(each.label for each in entries)
    if failing is not None:
        builder.statements.extend([PRELUDE, _patch(builder, failing, entry, subject)])
        label = f"{label} with {ast.unparse(failing.func)} {'refused' if may_be_refused(failing) else 'raising'}"
    indented = "\n".join(f"    {line}" for source in sources for line in source.splitlines())
    first = Operation(label, f"try:\n{indented}\nexcept Exception:\n    pass")
    builder.statements.append(f"permits = range(getattr({lock}, '_value', 1) or 1)")
    second = Operation(f"{NEXT} {section.lock}", TAKE_ALL.format(lock=lock))
    return stage.scenario("threads", builder.setup, [first, second])


def _patch(builder: Builder, call: ast.Call, entry: Entry, subject: str) -> str:
    """The statement that makes the call raise. Raises CannotBuild where it cannot be reached from outside."""
    name = dotted(call.func)
    if not name:
        raise CannotBuild(f"`{ast.unparse(call.func)}` cannot be made to fail from outside", "")
    head, _, last = name.rpartition(".")
    if head:
        owner = outside(builder, head, entry.cls, subject)
        return _holder(owner, last, "is_refused" if may_be_refused(call) else "fails")
    if f"arg_{name}" in builder.names:
        return f"arg_{name} = fails"
    return f"target.{name} = fails"


def may_be_refused(call: ast.Call) -> bool:
    """Whether it takes a lock and says with False that it did not get it: it waits for some time, or not at all."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    says_to_wait = (isinstance(value, ast.Constant) and (value.value is True or value.value is None) for value in given)
    return _method(call) == "acquire" and not all(says_to_wait)


def _holder(owner: str, last: str, failure: str) -> str:
    """Patch an object found at `owner`; one that takes no attributes is replaced where it is held."""
    holder, _, attribute = owner.rpartition(".")
    if holder:
        return f"let_fail({owner}, lambda made: setattr({holder}, {attribute!r}, made), {last!r}, {failure})"
    return f"{owner} = FailsAt({owner}, {last!r}, {failure})"


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
