"""What leaves nothing in a container: it is cleared, all of it is cut out, or an empty one takes its place."""

from __future__ import annotations

from racelint.knowledge.containers import CONTAINERS
from racelint.model.summary import Path
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.sharing.shared import SharedAccess


def leaves_nothing(access: SharedAccess, program: Program) -> bool:
    """Whether the access is such a step."""
    if access.location.content:
        return access.deed == "mutate" and access.method == "clear"
    plain = access.deed == "write" and bool(access.value)
    return plain and all(_is_empty(path, access.function, program) for path in access.value)


def _is_empty(path: Path, function: FunctionInfo, program: Program) -> bool:
    """`[]`, `{}` or the call of a container's class without elements."""
    call = program.stores.facts[function.id].made_by(path)
    if call is None:
        return path[0].startswith("v:") and path[0].endswith((":0", ":dict:"))
    makers = program.types.of_value(call.func, function)
    made = bool(makers) and all(isinstance(maker, External) and maker.dotted in CONTAINERS for maker in makers)
    return made and all(argument.name for argument in call.args)


def puts_empty_map(access: SharedAccess) -> bool:
    """`self.counts = {}`."""
    return any(path[0].startswith("v:") and path[0].endswith(":dict:") for path in access.value)
