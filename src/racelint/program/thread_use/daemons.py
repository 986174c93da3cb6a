"""Daemon threads, and what they may be in the middle of when the interpreter ends."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from racelint.knowledge.threads import QUEUES
from racelint.model.summary import Call, Path, Span, Value, With
from racelint.program.linked.processes import closure
from racelint.program.linker import Program
from racelint.program.names.index import External, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, thread_kind
from racelint.program.objects.things import Object

_WRITES = frozenset({"write_text", "write_bytes", "executemany", "commit"})
_WRITERS = frozenset({"json.dump", "pickle.dump", "shutil.copy", "shutil.copyfile", "shutil.move", "os.replace"})
_YES = (("k:True",), ("k:int:1",))


class DaemonWork(msgspec.Struct, frozen=True):
    """`root` is a daemon; at `span` of `function` it does `what`."""

    root: ThreadRoot
    function: FunctionInfo
    span: Span
    what: str


def daemon_work(program: Program) -> Iterator[DaemonWork]:
    """The first such work of every daemon thread that nobody joins."""
    for root in program.roots:
        if root.kind not in ("thread", "timer") or root.joins or not _is_daemon(program, root):
            continue
        if _is_drained(program, root):
            continue
        for function in closure(program, [root.target]).values():
            found = _work(program, function)
            if found is not None:
                yield DaemonWork(root, function, *found)
                break


def _is_drained(program: Program, root: ThreadRoot) -> bool:
    """Whether it takes its work from a queue that somebody waits for until all of it is done."""
    drained = set()
    for function in program.index.functions:
        for call in program.stores.facts[function.id].calls:
            path = call.func[0] if call.func else ()
            if len(path) > 1 and path[-1] == "join" and not call.args and _is_queue(program, path[:-1], function):
                drained.add(program.locations.of(path[:-1], function))
    drained.discard(None)
    for function in closure(program, [root.target]).values() if drained else ():
        for call in program.stores.facts[function.id].calls:
            path = call.func[0] if call.func else ()
            if len(path) > 1 and path[-1] == "task_done" and program.locations.of(path[:-1], function) in drained:
                return True
    return False


def _is_queue(program: Program, path: Path, function: FunctionInfo) -> bool:
    return any(isinstance(t, Object) and t.dotted in QUEUES for t in program.types.of(path, function))


def _is_daemon(program: Program, root: ThreadRoot) -> bool:
    """Made with `daemon=True`, or set to be one afterwards, or of a class that makes itself one."""
    site, home = root.site, root.site_function
    if site is not None and _says_so(site):
        return True
    if site is not None and home is not None and _is_set(program, home, (f"c:{site.id}",)):
        return True
    cls = root.target.cls
    if cls is None or thread_kind(cls) is None or root.target.ir.name != "run":
        return False
    init = cls.method("__init__")
    if init is None:
        return False
    calls = program.stores.facts[init.id].calls
    return any(_says_so(call) for call in calls) or _is_set(program, init, (f"p:{init.self_name}",))


def _says_so(call: Call) -> bool:
    return any(argument.name == "daemon" and argument.value[:1] in (_YES[:1], _YES[1:]) for argument in call.args)


def _is_set(program: Program, function: FunctionInfo, thread: Path) -> bool:
    facts = program.stores.facts[function.id]
    holders = {thread, *(a.path for a in facts.accesses if a.kind == "write" and thread in a.value)}
    for access in facts.accesses:
        if access.kind == "write" and access.path[-1] == "daemon" and access.path[:-1] in holders:
            return access.value[:1] in (_YES[:1], _YES[1:])
    return any(
        path[-1] == "setDaemon"
        and path[:-1] in holders
        and call.args
        and call.args[0].value[:1] in (_YES[:1], _YES[1:])
        for call in facts.calls
        for path in call.func
    )


def _work(program: Program, function: FunctionInfo) -> tuple[Span, str] | None:
    """Writing a file, or taking a lock that others take as well."""
    for call in program.stores.facts[function.id].calls:
        for thing in program.types.of_value(call.func, function):
            if isinstance(thing, External) and (thing.dotted in _WRITERS or _opens_to_write(thing.dotted, call)):
                return call.span, "writes a file"
        if any(path[-1] in _WRITES for path in call.func if len(path) > 1):
            return call.span, "writes a file"
    for lock, node, _ in program.flows.of(function).acquisitions:
        if lock.facts is not None and lock.location.kind != "captured":
            span = node.item.span if isinstance(node, With) else getattr(node, "span", function.ir.name_span)
            return span, f"holds `{lock.short}`"
    return None


def _opens_to_write(dotted: str, call: Call) -> bool:
    if dotted not in ("builtins.open", "io.open", "codecs.open"):
        return False
    modes: list[Value] = [argument.value for argument in call.args if argument.name == "mode"]
    modes += [argument.value for argument in call.args[1:2] if not argument.name]
    return any(
        letter in path[0][6:] for value in modes for path in value for letter in "wax+" if path[0][:6] == "k:str:"
    )
