"""Access paths across calls: what a path of the called function is to its caller.

An owner is the access path of the object that a lock hangs from. Within one thread, equal owners are one object and
their locks one lock; `()` is the owner of a lock that there is only one of, None one that is not known.
"""

from __future__ import annotations

from racelint.model.summary import ELEMENT, Path
from racelint.program.calling.calls import CallSite
from racelint.program.locking.locks import Lock
from racelint.program.names.index import FunctionInfo, Index, Variable

Owner = Path | None
_MAX_FIELDS = 5


def owner_of(lock: Lock, function: FunctionInfo, index: Index) -> Owner:
    """What a lock hangs from, as `function` sees it."""
    if lock.shared or lock.location.kind != "attribute":
        return ()
    if not lock.base or lock.base[0].startswith("l:") or ELEMENT in lock.base:
        return None
    return absolute(lock.base, function, index)


def absolute(path: Path, function: FunctionInfo, index: Index) -> Path:
    """Names of a module and of an enclosing function mean the same to every function; done twice, it is the same."""
    root, *fields = path
    kind, _, name = root.partition(":")
    if name.count(":") == (1 if kind == "g" else 2):
        return path
    if kind == "g":
        entity = index.name(function.module, name)
        if isinstance(entity, Variable):
            return (f"g:{entity.module.name}:{entity.name}", *fields)
    if kind == "f":
        qualname, _, variable = name.partition(":")
        if qualname == function.qualname:
            return (f"p:{variable}", *fields)
        return (f"f:{function.module.name}:{name}", *fields)
    return path


def substituted(path: Owner, site: CallSite, index: Index) -> Owner:
    """A path of the callee as the caller at `site` sees it; None where it is a local of the callee."""
    if not path:
        return path
    root, *fields = path
    kind, _, name = root.partition(":")
    if kind == "g":
        return path
    if kind == "f":
        _, qualname, variable = name.split(":", 2)
        return (f"p:{variable}", *fields) if qualname == site.caller.qualname else path
    if kind != "p":
        return None
    passed = _passed(name, site)
    if passed is None or len(passed) + len(fields) > _MAX_FIELDS + 1 or passed[0].startswith("l:"):
        return None
    if ELEMENT in passed:
        return None
    return (*absolute(passed, site.caller, index), *fields)


def _passed(name: str, site: CallSite) -> Path | None:
    """What the caller gives for a parameter."""
    if name == site.callee.self_name and site.receiver is not None:
        return site.receiver
    value = site.bindings.get(name, ())
    return value[0] if len(value) == 1 else None
