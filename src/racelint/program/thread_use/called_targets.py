"""Calls where a callable is wanted: `Thread(target=work())` runs `work` at once and gives the thread its answer."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.model.summary import Call, Path
from racelint.program.flow.values import FunctionFacts
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.objects.things import Bound, Constant, Object
from racelint.program.threads.roots import StartCall

_RETURN_ONLY = len("return")
_ANSWERS_NONE = frozenset({"builtins.print", "time.sleep", "os._exit", "sys.exit", "builtins.exit", "random.seed"})
_NOT_CALLABLE = frozenset(
    {"builtins.list", "builtins.dict", "builtins.set", "builtins.str", "builtins.int", "builtins.bytes"}
    | {"builtins.tuple", "builtins.float", "builtins.bool", "builtins.generator"}
)


class CalledTarget(msgspec.Struct, frozen=True):
    """`inner` is the call whose answer is given as the target; `answer` says what that is."""

    start: StartCall
    inner: Call
    answer: str


def called_targets(program: Program) -> Iterator[CalledTarget]:
    """In source order."""
    for start in program.start_calls:
        if start.starter.kind == "task" or len(start.target) != 1:
            continue
        inner = _made_in_place(program, start)
        answer = _answer(program, inner, start.function) if inner is not None else ""
        if inner is not None and answer:
            yield CalledTarget(start, inner, answer)


def _made_in_place(program: Program, start: StartCall) -> Call | None:
    """The call that stands as the target itself."""
    path = start.target[0]
    if len(path) != 1 or not path[0].startswith("c:"):
        return None
    return program.stores.facts[start.function.id].call(int(path[0][2:]))


def _answer(program: Program, call: Call, function: FunctionInfo) -> str:
    """What a call gives that certainly cannot be called; empty where it may be called."""
    things = program.types.of_value(call.func, function)
    answers = {_of_thing(program, thing) for thing in things}
    return answers.pop() if len(answers) == 1 else ""


def _of_thing(program: Program, thing: object) -> str:
    if isinstance(thing, External):
        return "None" if thing.dotted in _ANSWERS_NONE else ""
    if not isinstance(thing, Bound) or thing.function.ir.decorators:
        return ""
    function = thing.function
    if function.ir.is_async:
        return "a coroutine"
    if function.ir.is_generator:
        return "a generator"
    if function.is_abstract or function.ir.returns:
        return ""
    facts = program.stores.facts[function.id]
    if all(_says_none(path) for node in facts.returns for path in node.value) and _returns_nothing(facts):
        return "None"
    found = program.types.returned(function)
    plain = bool(found) and all(isinstance(t, Constant) or (isinstance(t, Object) and _is_plain(t)) for t in found)
    return "no callable" if plain and all(node.value for node in facts.returns) else ""


def _is_plain(thing: Object) -> bool:
    return thing.dotted in _NOT_CALLABLE


def _says_none(path: Path) -> bool:
    return path == ("k:None",)


def _returns_nothing(facts: FunctionFacts) -> bool:
    """Every `return` is a bare one, or of None."""
    return all(node.value or node.span[3] - node.span[1] == _RETURN_ONLY for node in facts.returns)
