"""How findings say by which calls one place comes to another."""

from __future__ import annotations

from collections.abc import Sequence

from racelint.model.finding import Step
from racelint.model.summary import Span
from racelint.program.calling.calls import CallSite
from racelint.program.flow.values import event_span
from racelint.program.linked.takings import Nesting
from racelint.program.names.index import FunctionInfo
from racelint.rules.base import step, symbol_of


def chain_words(chain: Sequence[CallSite]) -> str:
    """`Account.deposit`, or `Account.deposit` by way of `Account.move`."""
    last = f"`{symbol_of(chain[-1].callee)}`"
    if len(chain) == 1:
        return last
    return f"{last} (by way of {', '.join(f'`{symbol_of(site.callee)}`' for site in chain[:-1])})"


def call_steps(chain: Sequence[CallSite], lockset: Sequence[str] = ()) -> list[Step]:
    """A step for each call of a chain."""
    return [
        step("call", f"calls `{symbol_of(site.callee)}`", site.caller, event_span(site.caller, site.event), lockset)
        for site in chain
    ]


def nesting_steps(nesting: Nesting) -> list[Step]:
    """From where a lock is taken, by the calls made while it is held, to where the next one is."""
    held, taken = nesting.held, nesting.then.fact
    name = held.lock.short
    return [
        step("lock", f"takes `{name}`", held.function, held.span),
        *call_steps(nesting.then.chain, (name,)),
        step("lock", f"takes `{taken.lock.short}`", taken.function, taken.span, (name,)),
    ]


def place_words(function: FunctionInfo, span: Span, here: FunctionInfo) -> str:
    """`line 12`, with the file where it is not that of `here`."""
    if function.module is not here.module:
        return f"line {span[0]} of {function.module.source.display}"
    return f"line {span[0]}"
