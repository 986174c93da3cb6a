"""RL703: a thread that is to run a method of what belongs to a loop hands it to the loop."""

from __future__ import annotations

import libcst as cst

from racelint.fixes.starting_call import StartingCall, elements_of, in_place_of, in_tuple, keyworded, with_args


def handed_over(starting: StartingCall, loop: cst.BaseExpression) -> cst.Call | None:
    """`Timer(1, done.set)` as `Timer(1, loop.call_soon_threadsafe, args=(done.set,))`, `submit(done.set)` as
    `submit(loop.call_soon_threadsafe, done.set)`.

    None where the target is given names, which are not passed on, or arguments that are not written out.
    """
    starter, call, target = starting.start.starter, starting.call, starting.target
    if starter.kind not in ("thread", "timer", "pool") or starter.many or target is None:
        return None
    if starting.named("kwargs", "kwds") is not None:
        return None
    threadsafe = target.with_changes(value=cst.Attribute(loop, cst.Name("call_soon_threadsafe")))
    if starter.args == -1:
        if any(arg.keyword is not None for arg in call.args):
            return None
        return in_place_of(call, target, threadsafe, cst.Arg(target.value))(call)
    given, moved = starting.args, [threadsafe if arg is target else arg for arg in call.args]
    if given is None:
        return with_args([*moved, keyworded(cst.Arg(in_tuple(target.value)), "args")])(call)
    parts = elements_of(given.value)
    if parts is None or starting.kwargs is not None:
        return None
    whole = given.with_changes(value=in_tuple(target.value, *parts))
    return with_args(whole if arg is given else arg for arg in moved)(call)
