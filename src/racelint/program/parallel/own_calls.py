"""Variables of a function that those inside of it use: whose call of that function each side has them of."""

from __future__ import annotations

from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.anchors import Anchor
from racelint.program.objects.locations import Location
from racelint.program.parallel.records import Record


def is_within(record: Record, module: str, qualname: str) -> bool:
    """Whether the record's thread shares this invocation of a function: it is, or runs, code defined inside it."""
    function = record.context.entry.function
    if function.module.name != module:
        return record.context.root is None
    return function.qualname == qualname or function.qualname.startswith(qualname + ".")


def is_of_starter(root: ThreadRoot, location: Location, anchor: Anchor | None = None) -> bool:
    """A variable of the very function that starts the thread, or what one keeps: each of its calls has its own."""
    owner = location.owner if location.kind == "captured" else ""
    if anchor is not None and anchor[0].startswith("captured:"):
        owner = anchor[0].removeprefix("captured:").rpartition(":")[0]
    return root.site_function is not None and owner == root.site_function.id


def calls_itself(record: Record, module: str, qualname: str) -> bool:
    """Whether the function is called on the way to the record: what its variables are is this very call's."""
    around = (frame.function for frame in record.context.chain())
    return any(function.qualname == qualname and function.module.name == module for function in around)


def both_call(left: Record, right: Record, module: str, qualname: str) -> bool:
    """Whether each side has the variables of a call that it has made itself."""
    return calls_itself(left, module, qualname) and calls_itself(right, module, qualname)


def are_of_own_calls(left: Record, right: Record, anchor: Anchor | None) -> bool:
    """Whether an object, which a variable of a function keeps, is one for each side: each makes the call itself."""
    if anchor is None or not anchor[0].startswith("captured:"):
        return False
    _, module, qualname, _ = anchor[0].split(":", 3)
    return both_call(left, right, module, qualname)


def are_alternatives(left: Record, right: Record) -> bool:
    """`if limit: def wrapper(): …` / `else: def wrapper(): …`: one call of the function around has one of the two."""
    one, other = left.access.function, right.access.function
    named_alike = (one.ir.name, one.ir.parent) == (other.ir.name, other.ir.parent) and one.module is other.module
    return one is not other and named_alike and not (one.ir.decorators or other.ir.decorators)
