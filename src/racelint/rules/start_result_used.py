"""RL502 start-result-used."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.threads import THREAD_BASES
from racelint.model.finding import Finding
from racelint.model.summary import ELEMENT, Call, Path
from racelint.program import Program
from racelint.program.flow.values import FunctionFacts
from racelint.program.names.thread_root import thread_kind
from racelint.program.objects.things import Constant, Instance, Object, Thing
from racelint.rules.base import Rule


class StartResultUsed(Rule):
    """The result of a thread's `start()` is used, and that is None.

    ## What it does
    Reports a `start()` of a thread, timer or process (or of a subclass that does not override it) whose result is
    assigned, stored, passed on or called upon.

    ## Why is this bad?
    `start()` returns None. The name that looks like the thread is None, so that `join()` on it raises, and nothing
    holds the thread any more that could be joined.

    ## Example
    ```python
    from threading import Thread


    def work():
        print("working")


    t = Thread(target=work).start()  # RL502
    ```

    ## Use instead
    ```python
    from threading import Thread


    def work():
        print("working")


    t = Thread(target=work)
    t.start()
    ```

    ## How it is confirmed
    By definition: the rule is a matter of types and has no schedule.

    ## Known limits
    `return t.start()` is silent: such a function is mostly called for its effect.
    """

    code = "RL502"
    name = "start-result-used"
    since = "0.1.0"
    severity = "error"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        for function, call in program.callees.written("start"):
            if not call.used or call.func[0][-1] != "start" or len(call.func[0]) < 2:
                continue
            kinds = [_kind(thing) for thing in program.types.of(call.func[0][:-1], function)]
            known = [kind for kind in kinds if kind != "none"]
            if not known or not all(known) or _is_dropped(call, program.stores.facts[function.id]):
                continue
            yield self.finding(
                function,
                call.span,
                message=f"the result of `start()` is used, but `{known[0]}.start()` returns None",
                why="what is made of the result is None, not the thread: keep the thread first, then start it",
                subject=f"{known[0]}.start",
            )


def _kind(thing: Thing) -> str:
    """The name of the thread class; empty for what is no thread, `none` for None."""
    if isinstance(thing, Object) and thing.dotted in THREAD_BASES:
        return thing.dotted.rpartition(".")[2]
    if isinstance(thing, Instance) and thread_kind(thing.cls) is not None and thing.cls.method("start") is None:
        return thing.cls.name
    return "none" if thing == Constant("None") else ""


def _is_dropped(call: Call, facts: FunctionFacts) -> bool:
    """Returned as it stands, or put in a display or comprehension that is itself dropped: `[t.start() for t in ts]`."""
    result: Path = (f"c:{call.id}",)
    if any(result in node.value for node in facts.returns):
        return True
    displays = [access.path[:-1] for access in facts.accesses if access.path[-1] == ELEMENT and result in access.value]
    return bool(displays) and not any(_mentions(facts, display) for display in displays)


def _mentions(facts: FunctionFacts, display: Path) -> bool:
    """Whether anything but filling it is done with a display."""
    if any(display in argument.value for call in facts.calls for argument in call.args):
        return True
    if any(call.func and call.func[0][:1] == display for call in facts.calls):
        return True
    if any(display in node.value for node in facts.returns):
        return True
    return any(
        display in access.value or (access.path[: len(display)] == display and access.kind != "write")
        for access in facts.accesses
    )
