"""RL704 blocking-in-coroutine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from racelint.model.finding import Finding, Step
from racelint.model.summary import Call
from racelint.program import Program
from racelint.program.linked.blocking import BlockingCall, BlockingCalls
from racelint.program.lock_use.known_done import is_known_done
from racelint.program.names.index import FunctionInfo
from racelint.rules.base import Rule, step, symbol_of

_Reached = tuple[FunctionInfo, Call, BlockingCall]
_SHOWN = 5
"""Ways to one blocking call that are shown beside the first."""


class BlockingInCoroutine(Rule):
    """A coroutine calls something that makes its whole event loop wait.

    ## What it does
    Reports `time.sleep`, blocking network, database and subprocess calls, and waiting for threads, processes, locks,
    queues and futures of `concurrent.futures` in a coroutine, also deep inside the functions that it calls.

    ## Why is this bad?
    An event loop has one thread. While a coroutine blocks it no other task runs: no timeout fires, no connection is
    answered. Where what it waits for is to be done by that very loop, it waits for ever.

    ## Example
    ```python
    import time


    async def poll(queue):
        while not queue.ready():
            time.sleep(1)  # RL704
    ```

    ## Use instead
    ```python
    import asyncio


    async def poll(queue):
        while not queue.ready():
            await asyncio.sleep(1)
    ```

    ## How it is confirmed
    By definition: the call's contract is to block. There is no schedule to show.

    ## Known limits
    Reading and writing local files is not reported. Calls of unknown libraries are taken to be quick.
    """

    code = "RL704"
    name = "blocking-in-coroutine"
    since = "0.1.0"
    severity = "warning"
    confirmable = False

    def check(self, program: Program) -> Iterator[Finding]:
        places: dict[tuple[str, int], list[_Reached]] = {}
        for function, call, found in self._reached(program):
            places.setdefault((found.function.id, found.call.id), []).append((function, call, found))
        for ways in places.values():
            yield self._found(*ways[0], ways[1:])

    def _reached(self, program: Program) -> Iterator[_Reached]:
        """The calls of coroutines that block, in source order; those that several come to, several times."""
        calls = BlockingCalls(program)
        for function in program.index.functions:
            if not function.ir.is_async:
                continue
            for call in program.stores.facts[function.id].calls:
                found = calls.reached(call, function)
                if found is None or found.blocking.kind == "file" or is_known_done(program, call, function):
                    continue
                if not _is_asked_first(program, call, found, function) and not _is_awaited(program, call, function):
                    yield function, call, found

    def _found(
        self, function: FunctionInfo, call: Call, found: BlockingCall, others: Sequence[_Reached] = ()
    ) -> Finding:
        instead = found.blocking.instead
        remedy = f"await `{instead}` instead" if instead else "run it with `asyncio.to_thread`"
        through = f" through `{symbol_of(found.function)}`" if found.chain else ""
        also = f"; {len(others)} more calls come to it" if len(others) > 1 else "; one more call comes to it"
        steps: list[Step] = [step("call", f"`{symbol_of(f)}` makes this call", f, span) for f, span in found.chain]
        return self.finding(
            function,
            call.span,
            message=f"coroutine `{symbol_of(function)}` blocks its event loop in `{found.name}()`{through}",
            why=f"no other task of the loop runs until it returns: {remedy}{also if others else ''}",
            subject=found.name,
            confidence="high" if not found.chain else "medium" if found.certain else "low",
            trace=[
                *steps,
                step("access", f"`{found.name}()` blocks", found.function, found.call.span),
                *(step("call", f"so does `{symbol_of(f)}`", f, c.span) for f, c, _ in others[:_SHOWN]),
            ],
        )


def _is_asked_first(program: Program, call: Call, found: BlockingCall, function: FunctionInfo) -> bool:
    """A queue that the coroutine looks into before it takes something out."""
    path = found.call.func[0]
    if path[-1] != "get":
        return False
    queue = program.locations.of(path[:-1], found.function)
    for other in program.stores.facts[function.id].calls:
        if other.id < call.id and other.func and other.func[0][-1] in ("empty", "qsize"):
            asked = other.func[0][:-1]
            if (found.function is function and asked == path[:-1]) or (
                queue is not None and program.locations.of(asked, function) == queue
            ):
                return True
    return False


def _is_awaited(program: Program, call: Call, function: FunctionInfo) -> bool:
    """`await wait_for(changed.wait(), 1)`: what is given to be awaited is a coroutine."""
    calls = program.stores.facts[function.id].calls
    return any(other.awaited and (f"c:{call.id}",) in argument.value for other in calls for argument in other.args)
