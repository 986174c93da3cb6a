"""Closures that are handed to strangers while a lock is held: those may well call them before it is given back."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.knowledge.threads import KEEPING
from racelint.model.summary import Call, Value
from racelint.program.names.index import FunctionInfo
from racelint.program.threads.reach import Reach


class HandedClosures:
    """Answers for the closures of a program that nothing of it calls."""

    def __init__(self, reach: Reach) -> None:
        self.reach = reach
        self._sites: dict[str, tuple[Call, ...]] = {}

    def calls(self, closure: FunctionInfo) -> tuple[Call, ...]:
        """The calls that hand it out, in the function that it stands in; none where it may be kept for later."""
        known = self._sites.get(closure.id)
        if known is None:
            outer = closure.module.functions.get(closure.ir.parent)
            calls = tuple(self._handing(closure, outer)) if outer is not None else ()
            kept = outer is None or self._is_kept(closure, outer) or any(self._keeps(call, outer) for call in calls)
            known = self._sites[closure.id] = () if kept else calls
        return known

    def _handing(self, closure: FunctionInfo, outer: FunctionInfo) -> Iterator[Call]:
        for call in self.reach.stores.facts[outer.id].calls:
            if any(_is_there(closure, argument.value) for argument in call.args):
                yield call

    def _is_kept(self, closure: FunctionInfo, outer: FunctionInfo) -> bool:
        """It is returned, or stored where others find it."""
        facts = self.reach.stores.facts[outer.id]
        values = [node.value for node in facts.returns] + [node.value for node in facts.yields]
        values += [a.value for a in facts.accesses if a.kind == "write" and (len(a.path) > 1 or a.path[0][:2] == "g:")]
        return any(_is_there(closure, value) for value in values)

    def _keeps(self, call: Call, outer: FunctionInfo) -> bool:
        """Whether what is called is the program's own, makes an object, answers nothing, or by its name takes note."""
        if not call.func or not call.used or any(not site.weak for site in self.reach.calls.at(outer, call.id)):
            return True
        name = call.func[0][-1].rpartition(":")[2].rpartition(".")[2].strip("_")
        return name[:1].isupper() or name.startswith(KEEPING)


def _is_there(closure: FunctionInfo, value: Value) -> bool:
    return (f"fn:{closure.qualname}",) in value
