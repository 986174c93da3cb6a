"""Stores without the guard that do no harm, and why: one store is one step, and nothing is decided in two."""

from __future__ import annotations

from racelint.knowledge.containers import ANSWERS, IMMUTABLE_RESULTS, TEXT_METHODS
from racelint.knowledge.raising import LOOKUP_ERRORS
from racelint.model.summary import ELEMENT, Access, Branch, Call, Path, Raise
from racelint.program.flow.branch_conditions import asserts
from racelint.program.flow.values import nodes_of
from racelint.program.flow.walk import is_caught
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, External, FunctionInfo
from racelint.program.objects.locations import Location
from racelint.program.objects.things import Bound, Object, Thing
from racelint.program.parallel.groups import Group
from racelint.program.parallel.records import Record
from racelint.program.races.suspects.deeds import removes
from racelint.program.races.suspects.interruptible import atomic_with_gil, runs_through
from racelint.program.sharing.compounds import Compound
from racelint.program.sharing.decisions import sets_flag
from racelint.program.sharing.ownership import makes_self
from racelint.program.sharing.shared import SharedAccess

_ONE_CONSTANT = "only one constant is ever stored, so that it matters little when that is seen"
_TAKEN_BACK = "whoever holds the lock takes the flag back before the work that it asks for, so that no request is lost"
_SET_TWICE = "a flag that is set twice is set, and nothing else hangs on it than what may be done twice"
_LOGGING = frozenset(
    {"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print", "format", "str", "repr"}
)
"""A line in a log, and how its text is made."""
_STREAMS = frozenset({"stderr", "stdout"})
_DONE_ONCE = frozenset({"wait", "join", "set", "is_set", "is_alive", "cancel"})
"""Doing these twice is doing them once."""

_QUESTIONS = ("is_", "has_", "can_", "should_", "needs_", "isinstance", "issubclass", "hasattr", "callable", "len")
"""How calls begin that a condition is made of and that change nothing."""
_NOTED_TWICE = "what is noted twice is noted, and nothing else hangs on it than what may be done twice"
_CLOCK = frozenset({"time", "monotonic", "perf_counter", "time_ns", "monotonic_ns", "now", "utcnow"})
_TIME = "it stores what the clock says, and of two who do so either is right"

_SAME_OBJECT = "all who find it missing look up the same object and store that"
_EQUAL_ENTRY = "all who find no entry for the key store an equal one, which nobody changes"
_SAME_ERROR = "a look-up that fails raises what the function raises anyway where it finds nothing"
_HANDLED = "the error that None gives where a method of it is called is handled"
_MISUSE = "who is not the first gets an error: two at once are the misuse that it tells of"
_REMEMBERED = "what it stores is the answer of the decorated function, which it takes to be equal for equal arguments"
_FINDING = frozenset({"import_module", "__import__", "import_string", "getLogger", "getpid"})
"""Calls that give the same object whenever they are asked for the same name."""
_ADDING_TO_IT = frozenset({"addHandler", "addFilter"})
"""What is done twice to the object that both of two threads find."""
_Frames = tuple[tuple[FunctionInfo, int], ...]
"""Functions, each with an event in it: an access, then the call that led to it, and so on out."""
_ONE_STEP = "it is replaced in one step, and the lock never spans more than one step on it"


def harmless(record: Record, group: Group, guard: Location, program: Program) -> str:
    """Why a store without the guard does no harm; empty where it may."""
    if is_flag(group):
        return _ONE_CONSTANT
    if not _is_plain_store(record.access) or any(other.access.location.content for other in group.records):
        return ""
    guarded = [other for other in group.records if guard in other.locations_held]
    if any(other.access.augmented for other in guarded):
        return ""
    if _is_time(record.access, program):
        return _TIME
    sections = []
    for frames in dict.fromkeys(_frames_inside(other, guard, program) for other in guarded):
        section = _section(frames, guard, program)
        if not section:
            return ""
        sections.append(section)
    if all(len(section) == 1 for section in sections):
        return _ONE_STEP
    if sets_flag(record.access) and all(map(_takes_back, sections)):
        return _TAKEN_BACK
    return ""


def _is_time(access: SharedAccess, program: Program) -> bool:
    """`self.seen = time.monotonic()`."""
    facts = program.stores.facts[access.function.id]
    calls = [facts.made_by(path) if len(path) == 1 else None for path in access.value]
    return bool(calls) and all(
        call is not None and bool(call.func) and all(path[-1].rpartition(":")[2] in _CLOCK for path in call.func)
        for call in calls
    )


def needs_no_lock(group: Group, guard: Location, program: Program) -> bool:
    """Whether a GIL does for one location what its guard does: nothing switches threads inside of any section.

    That holds, too, for what is done without the lock, and the lock spans nothing but this location.
    """
    for record in group.records:
        if record.access.deed == "iterate":
            return False
        if guard not in record.locations_held:
            continue
        section = _section(_frames_inside(record, guard, program), guard, program)
        function = record.access.function
        if not section or any(
            step.function is not function or step.location.container() != group.location.container() for step in section
        ):
            return False
        if not runs_through(section, function, program):
            return False
    functions = {record.access.function for record in group.records}
    compounds = [compound for function in functions for compound in program.compounds.of(function)]
    return all(
        atomic_with_gil(compound, program)
        for compound in compounds
        if compound.act.location.container() == group.location.container()
    )


def sets_flag_twice(compound: Compound, group: Group, program: Program) -> str:
    """Why it does no harm that two threads find a flag unset; empty where more hangs on it than a line in a log.

    A flag that goes both ways is as it would be had the other thread been first, where its truth was tested.
    """
    if (
        compound.inner is not None
        or _is_dereferenced(compound, program)
        or not (is_flag(group) or (compound.test in ("truth", "other") and _goes_both_ways(group)))
    ):
        return ""
    return _SET_TWICE if _may_be_done_twice(compound, program) else ""


def _is_dereferenced(compound: Compound, program: Program) -> bool:
    """What was looked at is read again for one of its methods, which None has not."""
    path, span = compound.act.path, compound.act.span
    return compound.kind == "check-then-use" and any(
        func[: len(path)] == path and len(func) > len(path) and call.span[:2] == span[:2]
        for call in program.stores.facts[compound.function.id].calls
        for func in call.func
    )


def notes_twice(compound: Compound, program: Program) -> str:
    """Why it does no harm that two threads find a key not noted yet: a set of what was warned of, a table of flags."""
    act = compound.act
    noted = act.method == "add" or (_is_plain_store(act) and sets_flag(act))
    if compound.inner is not None or compound.test != "in" or not (act.location.content and noted):
        return ""
    return _NOTED_TWICE if _may_be_done_twice(compound, program) else ""


def _may_be_done_twice(compound: Compound, program: Program) -> bool:
    """Whether all that the check decides about is as if done once: lines in a log, what is done or stored anyway."""
    function, deciding = compound.function, program.compounds.deciding
    beside = _events_beside(compound, program)
    facts = program.stores.facts[function.id]
    asked = {dep for node in facts.nodes if isinstance(node, Branch) for dep in node.deps}
    for call in facts.calls:
        decided = call.id not in beside and compound.since in deciding(function, call.id)
        names = [path[-1].rpartition(":")[2] for path in call.func]
        if call.id == compound.act.event or (
            call.id in asked
            and (all(n.strip("_").startswith(_QUESTIONS) for n in names) or _only_looks(function, call, program))
        ):
            continue
        told = any(len(path) > 1 and path[-2] in _STREAMS for path in call.func)
        if decided and not told and not any(name in _LOGGING | _DONE_ONCE | _FINDING for name in names):
            return False
    for access in program.shared.of(function):
        decided = access.changes and compound.since in deciding(function, access.event)
        twice_is_once = access.location == compound.act.location or (_is_plain_store(access) and sets_flag(access))
        if decided and access.event not in beside and not twice_is_once:
            return False
    return True


def _only_looks(function: FunctionInfo, call: Call, program: Program) -> bool:
    """Whether what is called is known, and does nothing but read."""
    callees = [site.callee for site in program.calls.at(function, call.id)]
    return bool(callees) and not any(
        program.stores.facts[callee.id].calls
        or any(access.kind in ("write", "delete") for access in program.stores.facts[callee.id].accesses)
        for callee in callees
    )


def _events_beside(compound: Compound, program: Program) -> set[int]:
    """What happens where the condition that decides about the act went the other way."""
    for node in program.stores.facts[compound.function.id].nodes:
        if isinstance(node, Branch) and node.span == compound.check_span:
            then, orelse = (
                {each.id for each in nodes_of(side) if isinstance(each, (Access, Call))}
                for side in (node.then, node.orelse)
            )
            if compound.act.event in then | orelse:
                return orelse if compound.act.event in then else then
    return set()


def finds_same_object(compound: Compound, program: Program) -> str:
    """Why a first use does no harm that is not locked: the value is an import's, or lies in a module's registry."""
    act = compound.act
    plain = act.deed == "write" and not act.augmented and compound.inner is None
    if plain and act.value and all(_is_found(path, compound, program) for path in act.value):
        return "" if _adds_to_it(compound, program) else _SAME_OBJECT
    things = program.types.of_value(act.value, compound.function)
    tuples = bool(things) and all(isinstance(thing, Object) and thing.dotted == "builtins.tuple" for thing in things)
    return _EQUAL_ENTRY if plain and tuples and act.location.content and compound.test == "except" else ""


def fills_equal_entry(compound: Compound, program: Program) -> str:
    """Why a cache may be filled twice: the entry is immutable and comes of nothing but what the function is given."""
    act = compound.act
    plain = act.deed == "write" and not act.augmented and compound.inner is None and act.location.content
    equal = plain and act.value and all(_is_computed(path, compound.function, program) for path in act.value)
    return _EQUAL_ENTRY if equal else ""


def _is_computed(path: Path, function: FunctionInfo, program: Program) -> bool:
    """The answer of a call that gives an equal, immutable one each time, for arguments and constants."""
    call = program.stores.facts[function.id].made_by(path) if len(path) == 1 else None
    if call is None or len(call.func) != 1:
        return False
    receiver = call.func[0][:-1]
    texts = bool(receiver) and call.func[0][-1] in TEXT_METHODS
    things = program.types.of(path, function)
    dotted = {thing.dotted if isinstance(thing, Object) else "" for thing in things}
    if dotted and dotted <= ANSWERS:
        return True
    immutable = bool(dotted) and dotted <= IMMUTABLE_RESULTS
    given = [receiver] if receiver and texts else []
    given += [value for argument in call.args for value in argument.value]
    return (texts or immutable) and all(_is_given(value, function, program) for value in given)


def _is_given(path: Path, function: FunctionInfo, program: Program) -> bool:
    root = path[0]
    constant = root.startswith("k:") and root != "k:str:"
    return (len(path) == 1 and (root.startswith("p:") or constant)) or _is_computed(path, function, program)


def answers_with_its_error(compound: Compound, program: Program) -> str:
    """Why a look-up may fail that was tested before: the function raises that error itself where nothing is found."""
    if compound.kind != "check-then-use" or compound.test != "in" or not compound.act.location.content:
        return ""
    facts = program.stores.facts[compound.function.id]
    raised = {path for node in facts.nodes if isinstance(node, Raise) for path in facts.raised_by(node)}
    return _SAME_ERROR if any(len(path) == 1 and path[0] in LOOKUP_ERRORS for path in raised) else ""


def expects_none(compound: Compound, program: Program) -> str:
    """Why what was tested may be None when it is used: the error that this gives is handled."""
    if compound.kind != "check-then-use" or compound.act.location.content:
        return ""
    nodes = program.stores.facts[compound.function.id].nodes
    return _HANDLED if is_caught(nodes, compound.act.event, {"g:AttributeError"}) else ""


def refuses_second(compound: Compound, program: Program) -> str:
    """Why a first use need not be locked that raises where it is not the first: `if self.call: raise ValueError`."""
    nodes = program.stores.facts[compound.function.id].nodes
    checks = [node for node in nodes if isinstance(node, Branch) and node.span == compound.check_span]
    return _MISUSE if checks and all(map(_only_raises, checks)) else ""


def _only_raises(node: Branch) -> bool:
    arms = [arm for arm in (node.then, node.orelse) if arm]
    return len(arms) == 1 and isinstance(arms[0][-1], Raise) and not asserts(node)


def remembers_answers(compound: Compound, group: Group, program: Program) -> str:
    """Why a decorator that remembers what its function answers may ask it twice: it takes the answers for equal."""
    location, act = group.location, compound.act
    if location.kind != "captured" or act.deed != "write" or any(map(removes, group.changes)):
        return ""
    maker = location.owner.partition(":")[2]
    facts = program.stores.facts[compound.function.id]
    calls = [facts.made_by(path) for path in act.value]
    own = calls and all(
        call is not None and all(len(func) == 1 and func[0].startswith(f"f:{maker}:") for func in call.func)
        for call in calls
    )
    return _REMEMBERED if own else ""


def _is_found(path: Path, compound: Compound, program: Program) -> bool:
    """A part of a module, an element of what one holds, an attribute set for good, or a method of an equal object."""
    if path[0].startswith("g:") and path[-1] == ELEMENT:
        return True
    function = compound.function
    call = program.stores.facts[function.id].made_by(path)
    if call is not None:
        finds = any(func[-1].rpartition(":")[2] in _FINDING for func in call.func)
        method = len(path) == 2 and not _takes_parameters(call) and _is_computed(path[:1], function, program)
        return finds or method
    things = program.types.of(path, function)
    if things and all(_is_of_module(thing) for thing in things):
        return True
    return path[0] == compound.act.path[0] and _is_for_good(program.locations.of(path, function), program)


def _takes_parameters(call: Call) -> bool:
    return any(path[0].startswith("p:") for argument in call.args for path in argument.value)


def _is_of_module(thing: Thing) -> bool:
    """What stands at the top of a module is made once."""
    if isinstance(thing, Bound):
        return not thing.function.ir.parent
    return isinstance(thing, External) or (isinstance(thing, ClassInfo) and not thing.ir.parent)


def _is_for_good(location: Location | None, program: Program) -> bool:
    """An attribute that constructors alone set."""
    if location is None or location.kind != "attribute" or location.content:
        return False
    changes = [access for access in program.shared.at(location) if access.changes]
    return bool(changes) and all(makes_self(access.function) for access in changes)


def _adds_to_it(compound: Compound, program: Program) -> bool:
    """Whether it does more with the object than to store it: what others may do to it that find it, too."""
    act, deciding = compound.act, program.compounds.deciding
    return any(
        path[-1] in _ADDING_TO_IT or any({*act.value, act.path} & {*argument.value} for argument in call.args)
        for call in program.stores.facts[compound.function.id].calls
        if compound.since in deciding(compound.function, call.id)
        for path in call.func
    )


def is_flag(group: Group) -> bool:
    """A monotonic flag: one constant is ever stored after construction."""
    stored = {path[0] for record in group.changes for path in record.access.value}
    return len(stored) <= 1 and all(
        _is_plain_store(record.access) and sets_flag(record.access) for record in group.changes
    )


def _goes_both_ways(group: Group) -> bool:
    return all(_is_plain_store(record.access) and sets_flag(record.access) for record in group.changes)


def _is_plain_store(access: SharedAccess) -> bool:
    return access.deed == "write" and not access.augmented and not access.location.content


def _frames_inside(record: Record, guard: Location, program: Program) -> _Frames:
    """The functions from a record's own out to the one that takes the lock; empty where none on its way does."""
    frames = list[tuple[FunctionInfo, int]]()
    for function, event in record.context.outwards(record.access.event):
        frames.append((function, event))
        if program.flows.of(function).at(event).hold(guard) is not None:
            return tuple(frames)
    return ()


def _section(frames: _Frames, guard: Location, program: Program) -> list[SharedAccess]:
    """What the critical section around the first of the frames does to shared variables, in source order.

    Empty where it is not seen which one that is. One that a caller entered lasts for all of the called function.
    """
    if not frames:
        return []
    *called, (function, event) = frames
    inner = [access for frame, _ in called for access in program.shared.of(frame)]
    flow = program.flows.of(function)
    hold = flow.at(event).hold(guard)
    before, after = list[SharedAccess](), list[SharedAccess]()
    for access in program.shared.of(function):
        if flow.at(access.event).hold(guard) != hold or access.location == guard:
            continue
        if inner and access.event == event:
            continue  # the very call
        part = before if access.event < event else after
        part += [access, access] if _does_more(access, program) else [access]
    return [*before, *inner, *after]


def _does_more(access: SharedAccess, program: Program) -> bool:
    """Whether it is a call of a function that does something else, too."""
    return any(
        program.calls.outgoing[site.callee.id]
        or any(a.location != access.location for a in program.shared.of(site.callee))
        for site in program.calls.at(access.function, access.event)
    )


def _takes_back(section: list[SharedAccess]) -> bool:
    """A flag is looked at and taken back, and only then anything else is done; or it is only set."""
    first = section[0].location
    back = [number for number, access in enumerate(section) if access.location == first and _is_plain_store(access)]
    return len(back) == 1 and sets_flag(section[back[0]]) and all(a.location == first for a in section[: back[0]])
