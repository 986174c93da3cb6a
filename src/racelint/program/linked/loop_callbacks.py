"""Methods that an object handed to one of a library, in whose loop they run: `Client(on_close=self.stopped)`.

The loop runs them on the thread that runs the loop, as if by calls of its own: `self.client.run_forever()`.
"""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.threads import CALLBACK_LOOPS
from racelint.model.summary import Call, Path, Value
from racelint.program.calling.calls import CallSite
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.families import descendants

_MAX_METHODS = 16


def loop_callbacks(program: Program) -> Iterator[CallSite]:
    """A call site for each, at the call that runs the loop."""
    for function, call in program.callees.written(*CALLBACK_LOOPS):
        if function.cls is None or not function.self_name:
            continue
        for path in call.func[:1]:
            if len(path) > 1 and path[-1] in CALLBACK_LOOPS and not program.calls.at(function, call.id):
                yield from _run_by(program, function, call, path[:-1], function.cls)


def _run_by(program: Program, function: FunctionInfo, call: Call, loop: Path, cls: ClassInfo) -> Iterator[CallSite]:
    names = list(dict.fromkeys(_handed_to(program, function, loop, cls)))
    for name in names[:_MAX_METHODS]:
        for owner in (cls, *descendants(cls)):
            method = owner.method(name)
            if method is not None and not method.ir.is_async and (owner is cls or method.cls is owner):
                yield CallSite(function, call.id, method, (f"p:{function.self_name}",), {}, False)


def _handed_to(program: Program, function: FunctionInfo, loop: Path, cls: ClassInfo) -> Iterator[str]:
    """The names of the methods that the object got when it was made, or as attributes since."""
    if len(loop) == 1:
        yield from _given(program, loop, function)
    elif len(loop) == 2 and loop[0] == f"p:{function.self_name}":
        for owner in cls.mro:
            for stored in program.stores.attributes.get((owner.id, loop[1]), ()):
                for made in stored.value:
                    yield from _given(program, made, stored.function)
            for method in owner.own.values():
                own: Path = (f"p:{method.self_name}", loop[1])
                for access in program.stores.facts[method.id].accesses:
                    if access.kind == "write" and len(access.path) == 3 and access.path[:2] == own:
                        yield from _own_methods(access.value, method)


def _given(program: Program, made: Path, function: FunctionInfo) -> Iterator[str]:
    """Those that the call which made an object was given, and those stored on it where it was made."""
    facts = program.stores.facts[function.id]
    call = facts.made_by(made) if len(made) == 1 else None
    if call is None:
        return
    for argument in call.args:
        yield from _own_methods(argument.value, function)
    for access in facts.accesses:
        if access.kind == "write" and len(access.path) == 2 and access.path[:1] == made:
            yield from _own_methods(access.value, function)


def _own_methods(value: Value, function: FunctionInfo) -> Iterator[str]:
    for path in value:
        if len(path) == 2 and path[0] == f"p:{function.self_name}":
            yield path[1]
