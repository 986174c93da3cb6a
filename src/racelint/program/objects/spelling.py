"""Access paths as people write them, for messages."""

from __future__ import annotations

from racelint.model.summary import ELEMENT, Call, Path
from racelint.program.flow.values import FunctionFacts
from racelint.program.names.index import FunctionInfo


def spelled(path: Path, facts: FunctionFacts) -> str:
    """`self.rows[…].append` for the path of it; results of calls are written as the call."""
    text = _root(path[0], facts)
    for field in path[1:]:
        text += "[…]" if field == ELEMENT else f".{field}"
    return text


def spelled_call(call: Call, facts: FunctionFacts) -> str:
    """What a call calls, e.g. `json.loads()`."""
    return f"{spelled(call.func[0], facts)}()" if call.func else "a call"


def _root(root: str, facts: FunctionFacts) -> str:
    kind, _, rest = root.partition(":")
    if kind == "c":
        call = facts.call(int(rest))
        return spelled_call(call, facts) if call is not None else "…"
    if kind in ("v", "k"):
        return rest.split(":")[1 if kind == "v" else 0]
    if kind == "i":
        _, module, attribute = rest.split(":", 2)
        return attribute or module
    if kind == "fn":
        return rest.rpartition(".")[2]
    return rest.rpartition(":")[2]


def line_of(function: FunctionInfo) -> int:
    """The last line of a function."""
    return function.ir.span[2]
