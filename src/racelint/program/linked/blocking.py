"""Calls that make their thread wait: directly, or deep inside a function of the program that they run."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from racelint.knowledge.blocking import BLOCKING_FUNCTIONS, BLOCKING_METHODS, Blocking
from racelint.knowledge.locks import ACQUIRES
from racelint.knowledge.threads import LOCKED_QUEUES
from racelint.model.summary import Branch, Call, Path, Span
from racelint.program.flow.walk import enclosing, place_of
from racelint.program.linked.makers import makers
from racelint.program.linker import Program
from racelint.program.locking.locksets import may_fail
from racelint.program.names.declared import means
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import thread_kind
from racelint.program.objects.things import Bound, Instance, Member, Object, Thing

_MAX_DEPTH = 6
_TUNES = ("setblocking", "settimeout")
_DECLARED = Blocking("wait")
"""A call that blocks by the user's word."""
_PUT = Blocking("wait", "asyncio.Queue", timeout=2)
_OF_URL = frozenset(":/")
_BOUNDING = ("block", "blocking", "timeout", "wait")
_NOTHING = (("k:False",), ("k:int:0",))


class BlockingCall(msgspec.Struct, frozen=True):
    """A call that waits; `chain` leads from the function asked about to the one that makes the call.

    `certain`: nothing on the way is decided by a condition.
    """

    blocking: Blocking
    name: str
    function: FunctionInfo
    call: Call
    chain: tuple[tuple[FunctionInfo, Span], ...] = ()
    certain: bool = True


class BlockingCalls:
    """Answers for the calls of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._inside: dict[str, BlockingCall | None] = {}

    def of(self, call: Call, function: FunctionInfo) -> BlockingCall | None:
        """What a call waits for by itself, without looking into the program's own functions."""
        if call.awaited:
            return None
        found = self._of(call, function)
        return found if found is not None and not _never_waits(call) else None

    def _of(self, call: Call, function: FunctionInfo) -> BlockingCall | None:
        declared = self.program.settings.extra_blocking_calls
        for path in call.func:
            for thing in self.program.types.of(path, function):
                if type(thing) is External and thing.dotted in BLOCKING_FUNCTIONS:
                    return BlockingCall(BLOCKING_FUNCTIONS[thing.dotted], _short(thing.dotted), function, call)
                if declared and (name := _declared_name(thing)) and means(declared, name):
                    return BlockingCall(_DECLARED, _short(name), function, call)
                if type(thing) is Member and (thing.dotted, thing.name) in BLOCKING_METHODS:
                    found = BLOCKING_METHODS[thing.dotted, thing.name]
                    if _looks_up(call, thing) or _returns_at_once(call, found):
                        continue
                    if not self._is_nonblocking(thing, path, function):
                        return BlockingCall(found, f"{_short(thing.dotted)}.{thing.name}", function, call)
                if (
                    type(thing) is Member
                    and thing.name == "put"
                    and self._is_full_at_times(thing, path, call, function)
                ):
                    return BlockingCall(_PUT, f"{_short(thing.dotted)}.put", function, call)
            found_ = self._of_receiver(path, call, function)
            if found_ is not None:
                return found_
        return None

    def _is_full_at_times(self, thing: Member, path: Path, call: Call, function: FunctionInfo) -> bool:
        """A `put` that may have to wait: the queue is made with a size."""
        plain = [argument for argument in call.args if not argument.name]
        if (
            thing.dotted not in LOCKED_QUEUES
            or _returns_at_once(call, _PUT)
            or (len(plain) > 1 and len(plain[1].value) == 1 and plain[1].value[0] in _NOTHING)
        ):
            return False
        sizes = []
        for made in makers(self.program, path[:-1], function):
            given = [a for a in made.call.args if a.name == "maxsize"] + [a for a in made.call.args if not a.name][:1]
            sizes.append(bool(given) and given[0].value != (("k:int:0",),))
        return bool(sizes) and all(sizes)

    def _is_nonblocking(self, thing: Member, path: Path, function: FunctionInfo) -> bool:
        """A socket that is handed in, or that is told not to block, or that has no connection to wait for."""
        if not thing.dotted.startswith("socket."):
            return False
        facts = self.program.stores.facts[function.id]
        made = facts.made_by(path)
        if made is None or len(path) != 2:
            return True
        datagram = any(value[-1] == "SOCK_DGRAM" for argument in made.args for value in argument.value)
        tuned = any(call.func and call.func[0] == (path[0], name) for call in facts.calls for name in _TUNES)
        return datagram or tuned

    def _of_receiver(self, path: Path, call: Call, function: FunctionInfo) -> BlockingCall | None:
        """`acquire()` of a thread's lock, `join()` of an object of a Thread subclass."""
        if len(path) < 2:
            return None
        for thing in self.program.types.of(path[:-1], function):
            if type(thing) is Instance and path[-1] == "join" and thing.cls.method("join") is None:
                kind = thread_kind(thing.cls)
                base = "multiprocessing.Process" if kind == "process" else "threading.Thread"
                blocking = BLOCKING_METHODS[base, "join"]
                if kind is not None and not _returns_at_once(call, blocking):
                    return BlockingCall(blocking, f"{thing.cls.name}.join", function, call)
            if type(thing) is Object and path[-1] in ACQUIRES and not may_fail(call):
                facts = self.program.locks.facts_of((thing,))
                here = self.program.stores.facts[function.id]
                if facts is not None and facts.world != "async" and not here.stored_before(path[:-1], call.id):
                    name = f"{_short(thing.dotted)}.{path[-1]}"
                    return BlockingCall(Blocking("wait", "asyncio.Lock"), name, function, call)
        return None

    def inside(self, function: FunctionInfo, depth: int = 0) -> BlockingCall | None:
        """The first blocking call that a plain function of the program comes to, through what it calls."""
        if function.id in self._inside or depth > _MAX_DEPTH:
            return self._inside.get(function.id)
        self._inside[function.id] = None
        if function.ir.is_async or function.ir.is_generator:
            return None
        for call in self.program.stores.facts[function.id].calls:
            found = self.of(call, function) or self._through(call, function, depth)
            if found is not None:
                decided = any(isinstance(node, Branch) for node in enclosing(place_of(function, call.id)))
                self._inside[function.id] = replace(found, certain=found.certain and not decided)
                if found.certain and not decided:
                    break
        return self._inside[function.id]

    def _through(self, call: Call, function: FunctionInfo, depth: int) -> BlockingCall | None:
        if call.awaited:
            return None  # it returns an awaitable: what blocks is another branch
        sites = [site for site in self.program.calls.outgoing[function.id] if site.event == call.id]
        if len(sites) != 1 or sites[0].weak:
            return None
        found = self.inside(sites[0].callee, depth + 1)
        return replace(found, chain=((function, call.span), *found.chain)) if found is not None else None

    def reached(self, call: Call, function: FunctionInfo) -> BlockingCall | None:
        """What a call waits for, by itself or through the one function of the program that it runs."""
        return self.of(call, function) or self._through(call, function, 0)


def _declared_name(thing: Thing) -> str:
    """The dotted name that a configuration would call this by."""
    if isinstance(thing, External):
        return thing.dotted
    if isinstance(thing, Member):
        return f"{thing.dotted}.{thing.name}"
    return thing.function.id.replace(":", ".") if isinstance(thing, Bound) else ""


def _returns_at_once(call: Call, blocking: Blocking) -> bool:
    """`get(False)`, `get(block=False)`, `join(0)`, `result(timeout=0)`, `shutdown(wait=False)`."""
    plain = [argument for argument in call.args if not argument.name]
    for argument in call.args:
        if argument.name in _BOUNDING and argument.value and argument.value[0] in _NOTHING:
            return True
    bound = blocking.timeout
    if (bound == 1 or call.func[0][-1] == "shutdown") and plain and plain[0].value == (("k:False",),):
        return True
    return 0 <= bound < len(plain) and plain[bound].value == (("k:int:0",),)


def _looks_up(call: Call, thing: Member) -> bool:
    """`answer.get("id")` or `answer.get(key, 0)`: of a mapping that shares a container with a session, and no URL."""
    plain = [argument for argument in call.args if not argument.name]
    if thing.name != "get" or thing.dotted.partition(".")[0] not in ("requests", "httpx") or not plain:
        return False
    texts = [path[0].removeprefix("k:str:") for path in plain[0].value if path[0].startswith("k:str:")]
    return len(plain) > 1 or any(text and not _OF_URL & set(text) for text in texts)


def _never_waits(call: Call) -> bool:
    """`getaddrinfo(…, flags=AI_NUMERICHOST)` parses and asks nobody."""
    return any(path[-1] == "AI_NUMERICHOST" for argument in call.args for path in argument.value)


def _short(dotted: str) -> str:
    """`time.sleep`, `queue.Queue`, `requests.get` as people write them."""
    return dotted.removeprefix("builtins.")
