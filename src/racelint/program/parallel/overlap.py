"""Overlap: whether two records may run in parallel on the same object, and what says so."""

from __future__ import annotations

from racelint.model.finding import Evidence
from racelint.model.summary import ELEMENT, Path
from racelint.program.flow.values import Stored
from racelint.program.linked.importing import Importing
from racelint.program.linked.running_loops import asks_for_loop, is_run_by_loop
from racelint.program.linker import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.objects.anchors import Anchor
from racelint.program.objects.families import unrelated
from racelint.program.objects.locations import ITSELF
from racelint.program.parallel.attended import Attended
from racelint.program.parallel.given_objects import GivenObjects
from racelint.program.parallel.groups import Group
from racelint.program.parallel.initial_threads import InitialThreads
from racelint.program.parallel.modes import Modes
from racelint.program.parallel.own_calls import (
    are_alternatives,
    are_of_own_calls,
    both_call,
    is_of_starter,
    is_within,
)
from racelint.program.parallel.own_objects import OwnObjects
from racelint.program.parallel.phases import Phases
from racelint.program.parallel.records import Record, Records
from racelint.program.parallel.startup_waits import StartupWaits
from racelint.program.parallel.test_records import (
    are_stand_ins,
    is_in_test,
    is_of_other_tests,
    is_outside_test,
    is_stand_in,
)
from racelint.program.parallel.thread_runs import is_handed_run, is_same_run, is_turn, prepares
from racelint.program.threads.context import Context
from racelint.program.threads.home_threads import HomeThreads
from racelint.program.threads.test_cases import TestStarts, is_of_tests, is_tear_down
from racelint.program.threads.threadless import Threadless
from racelint.program.threads.users import is_called_once


def _is_started_once(root: ThreadRoot) -> bool:
    """The name of what starts it says that this is called once: an object is not closed in two ways."""
    starter = root.site_function
    return starter is not None and not root.many and is_called_once(starter)


def _class_at_entry(record: Record) -> ClassInfo | None:
    """The class of the object that the record's code was entered through."""
    entry = record.context.entry
    return entry.self_class or entry.function.cls


def _has_another(cls: ClassInfo | None, method: FunctionInfo, context: Context) -> bool:
    """Whether objects of the class have another method in its place, from which this one is not come to."""
    if cls is None or method.cls is None or cls is method.cls or method.cls not in cls.mro:
        return False
    own = cls.method(method.ir.name)
    return own is not method and all(frame.function is not own for frame in context.chain())


def _derives(cls: ClassInfo | None, owner: str) -> bool:
    return cls is not None and any(base.id == owner for base in cls.mro)


class Overlap:
    """Answers for pairs of records of one group."""

    def __init__(self, program: Program, records: Records) -> None:
        self.program = program
        self.records = records
        self._threadless = Threadless(program.stores, program.locations, program.shared)
        self._own = OwnObjects(program)
        self._rows = self._own.parts.rows
        self._given = GivenObjects(program, self._own.parts)
        self._attended = Attended(program)
        self._initial = InitialThreads(program)
        self._tests = TestStarts(program.calls, program.roots)
        self._phases = Phases(program)
        self._waits = StartupWaits(program)
        self._modes = Modes(program)
        self._home = HomeThreads(program.stores)
        self._importing = Importing(program)
        self._asking: dict[str, bool] = {}
        """By function: whether it asks for the event loop that runs it."""
        self._anchors: dict[Record, Anchor | None] = {}

    def private(self, record: Record) -> bool:
        """No other thread of the same root has it: its own instance's attribute, or what that made for itself."""
        path = record.access.path
        if not record.through_own or len(path) < 2:
            return False
        if len(path) == 2:
            return True
        entries = self._stored_on_self(record)
        if not entries:
            return path[2] == ELEMENT  # what a base outside of the program made
        return all(
            not path[0].startswith(("p:", "g:", "f:", "l:")) for entry in entries for path in entry.value
        ) and not any(entry.access is not None and entry.access.path[0].startswith("cls:") for entry in entries)

    def _stored_on_self(self, record: Record) -> list[Stored]:
        cls = record.access.function.cls
        if cls is None:
            return []
        attributes = self.program.stores.attributes
        return [entry for base in cls.mro for entry in attributes.get((base.id, record.access.path[1]), [])]

    def parallel(self, left: Record, right: Record, group: Group) -> bool:
        """Whether two records may overlap on the same object."""
        first, second = left.context.root, right.context.root
        if not self._same_object(left, right, group) or self._phases.separate(left, right):
            return False
        if (first is not second and are_stand_ins(left, right)) or self._of_strangers(left, right):
            return False
        if (self._asks_for_loop(left) and self._asks_for_loop(right)) or self._are_at_home(left, right):
            return False
        if first is not None and second is not None:
            if self._rows.of_connections(left.access, right.access):
                return False
            private = self.private(left) and self.private(right)
            if first is second:
                if private or self._made_within(left, first) or self._rows.apart(left.access, right.access, first):
                    return False
                if is_stand_in(left, first) and is_stand_in(right, first):
                    return first.in_loop
                if self._tests.is_asked_in_turn(first) or self._each_has(left, right, first):
                    return False
                return first.in_loop if is_of_starter(first, group.location) else first.many
            if left.context.overruled or right.context.overruled:
                return False
            if is_of_other_tests(first, second.site_function, self.program.calls):
                return False
            if self._of_tests_alone(first, second) or self._of_tests_alone(second, first):
                return False
            if first.one_worker and second.one_worker and first.site_function is second.site_function:
                return False
            if self._is_one_errand(left.context, right.context) or self.program.alternatives.exclude(first, second):
                return False
            if self._own.apart(first, second, self._anchor(left), self._anchor(right)):
                return False
            if self._own.are_parts(first, second, self._holder(left), self._holder(right)):
                return False
            return not (private or self._precedes(left, second) or self._precedes(right, first))
        if first is None and second is None:
            if not (left.context.public and right.context.public):
                return False
            if (is_in_test(left) or is_in_test(right)) or (self._is_on_loop(left) and self._is_on_loop(right)):
                return False
            if self._drives(left, group) or self._drives(right, group):
                return False
            return (
                self._modes.has_any(group.owner_locks, left, right)
                or group.of_locks
                or group.contract
                or (left.foreign and right.foreign and left.static)
                or (self._promised(left) and self._promised(right))
            )
        mine, other = (left, right) if first is not None else (right, left)
        root = mine.context.root
        assert root is not None
        if is_same_run(root, other) or is_turn(self.program, root, other) or is_outside_test(root, other):
            return False
        if is_of_other_tests(root, other.context.entry.function, self.program.calls):
            return False
        if is_tear_down(other.context.entry.function) or prepares(root, other) or is_handed_run(mine, other):
            return False
        if is_in_test(other) and (
            self._tests.is_asked_in_turn(root) or not self._tests.may_start(other.context.entry.function, root)
        ):
            return False
        if self._own.kept_from(root, other.context, self._anchor(other)) or self._made_within(mine, root):
            return False
        if self._own.is_inherited_step(root, other.context) or self._importing.precedes(root, other.context):
            return False
        if not (group.owner_locks or group.of_locks or group.contract) and (
            self._own.is_its_step(mine.context, other.context)
            or self._given.keeps_from_users(root, mine.context, self._object(mine))
            or self._attended.keeps_from_users(root, other.context)
            or (group.location.kind == "attribute" and not mine.static and self._initial.precede_users(root))
        ):
            return False
        if self._threadless.excludes(root, other.context, other.access.event):
            return False
        one_call = is_of_starter(root, group.location, self._anchor(other)) or _is_started_once(root)
        if one_call and self.program.alternatives.does_without(root, other.context, other.access.event):
            return False
        if self._waits.precedes_users(root, mine.context, mine.access.event, other.context) and self._own.each_has(
            root, mine.context, self._holder(mine)
        ):
            return False
        if self._starts_anew(root, other, group):
            return True
        return self.program.ordering.may_overlap(root, other.context, other.access.event)

    def _are_at_home(self, left: Record, right: Record) -> bool:
        """Both run only on the thread that they asked for, or one does which is none of a pool's."""
        sides = [(side.context.root, self._home.is_home(side.context, side.access.event)) for side in (left, right)]
        return all(home for _, home in sides) or any(home and root is not None and root.many for root, home in sides)

    def _each_has(self, left: Record, right: Record, root: ThreadRoot) -> bool:
        """Both are of what each thread of the root has for itself."""
        return all(
            self._own.each_has(root, side.context, self._holder(side))
            or self._given.each_has(root, side.context, self._object(side))
            for side in (left, right)
        )

    @staticmethod
    def _object(record: Record) -> Path:
        """The path of the object whose variable it is; empty for one that is nobody's."""
        access = record.access
        return access.path[: max(len(access.path) - len(access.location.fields), access.location.fields[0] == ITSELF)]

    def _holder(self, record: Record) -> Anchor | None:
        """Where the very object is that the record's access is to: the container, or what has the attribute."""
        anchor, location = self._anchor(record), record.access.location
        if anchor is None or record.static or location.kind != "attribute":
            return None
        return (*anchor, *(field for field in location.fields[:-1] if field not in (ELEMENT, ITSELF)))

    def _is_on_loop(self, record: Record) -> bool:
        """Runs on an event loop, which runs one coroutine at a time, or asks for the loop that runs it."""
        return is_run_by_loop(record.context.entry.function) or self._asks_for_loop(record)

    def _asks_for_loop(self, record: Record) -> bool:
        for frame in record.context.chain():
            known = self._asking.get(frame.function.id)
            if known is None:
                known = self._asking[frame.function.id] = asks_for_loop(self.program, frame.function)
            if known:
                return True
        return False

    def _of_strangers(self, left: Record, right: Record) -> bool:
        """One of the two is what tests have made for themselves, and the thread is one of other tests."""
        sides = ((side.context.root, side.access.function) for side in (left, right))
        return any(root is not None and self._tests.are_strangers(root, function) for root, function in sides)

    def _of_tests_alone(self, mine: ThreadRoot, theirs: ThreadRoot) -> bool:
        """The one is a thread that tests start, the other one that none of these does."""
        test = mine.site_function
        return test is not None and is_of_tests(test) and not self._tests.may_start(test, theirs)

    def _starts_anew(self, root: ThreadRoot, other: Record, group: Group) -> bool:
        """A method may be called again, as it takes the lock or sets a timer, and starts one more thread then."""
        again = group.owner_locks & other.locations_held or (
            root.kind == "timer" and not is_called_once(other.context.entry.function)
        )
        if not again or not other.context.public or root.joins:
            return False
        within = {frame.function.id for frame in other.context.chain()}
        return bool(root.starts) and all(
            function.id in within and not self.program.compounds.deciding(function, number)
            for function, number in root.starts
        )

    def _precedes(self, record: Record, root: ThreadRoot) -> bool:
        """The record's own thread, one of its kind, starts the root only later, or has joined it."""
        own = record.context.root
        if own is None or own.many:
            return False
        return not self.program.ordering.may_overlap(root, record.context, record.access.event)

    def _is_one_errand(self, left: Context, right: Context) -> bool:
        """Two kinds of thread, one derived from the other, run what they were given: it is given to one of them."""
        mine, theirs = left.chain()[:2], right.chain()[:2]
        if len(mine) < 2 or len(theirs) < 2 or mine[1].function is not theirs[1].function:
            return False
        first, second = mine[0].function.cls, theirs[0].function.cls
        if first is None or second is None or not (first in second.mro or second in first.mro):
            return False
        runs_given = self._own.runs_given
        return runs_given(mine[0].function, mine[1].site) and runs_given(theirs[0].function, theirs[1].site)

    def _made_within(self, record: Record, root: ThreadRoot) -> bool:
        """It is an object that each thread of the root makes for itself."""
        anchor = self._anchor(record) if not record.static else None
        cls = self.program.anchors.class_of(anchor) if anchor is not None else None
        return cls is not None and self.program.thread_objects.within(cls, root)

    def _promised(self, record: Record) -> bool:
        """The function that users call to get here is declared thread-safe."""
        return self.program.contracts.covers_function(record.context.entry.function)

    def _same_object(self, left: Record, right: Record, group: Group) -> bool:
        """Whether the two touch one object; a class that owns a lock or has a contract promises it for all of them."""
        if group.location.kind == "captured":
            module, _, qualname = group.location.owner.partition(":")
            shared = all(r.context.root is None or is_within(r, module, qualname) for r in (left, right))
            return shared and not both_call(left, right, module, qualname) and not are_alternatives(left, right)
        if self._overridden(left, right) or self._overridden(right, left):
            return False
        if group.location.kind != "attribute":
            return True
        if left.static or right.static:
            return True
        if self._of_siblings(left, right) or self._modes.apart(left, right):
            return False
        if are_of_own_calls(left, right, self._anchor(left)):
            return False
        if group.owner_locks or group.of_locks or group.contract:
            return True
        return self._own.same(left.context, right.context, self._anchor(left), self._anchor(right))

    def _overridden(self, left: Record, right: Record) -> bool:
        """What the left is entered through, or accesses it, is another method for the class of the right's object."""
        entry, entered = left.context.entry.function, _class_at_entry(right)
        from_entries = _has_another(entered, entry, left.context) and self._hangs_from(left, entry.cls)
        if from_entries and self._hangs_from(right, entered):
            return True
        if self._class_of_own(left) is None:
            return False
        theirs = entered if right.context.parent is None else self._class_of_own(right)
        return any(_has_another(theirs, method, left.context) for method in (entry, left.access.function))

    def _hangs_from(self, record: Record, cls: ClassInfo | None) -> bool:
        """The object whose variable it is, or what that is a part of, is the one of the class that it came in by."""
        anchor = self._anchor(record) if cls is not None else None
        home = self.program.anchors.class_of(anchor) if anchor is not None else None
        return cls is not None and home is not None and any(home.id == base.id for base in cls.mro)

    @staticmethod
    def _class_of_own(record: Record) -> ClassInfo | None:
        """The class that the accessed object is at least one of, where it is the function's own."""
        access = record.access
        own = len(access.path) - len(access.location.fields) == 1 and access.path[0] == f"p:{access.function.self_name}"
        return (record.context.self_class or access.function.cls) if own else None

    def _of_siblings(self, left: Record, right: Record) -> bool:
        """Of objects of two classes of which no object can be both: each method's own, or its base's attribute."""
        own = [self._class_of_own(record) for record in (left, right)]
        if unrelated(*own) and all(_derives(cls, left.access.location.owner) for cls in own):
            return True
        mine, theirs = (_class_at_entry(record) for record in (left, right))
        if mine is None or theirs is None or not unrelated(mine, theirs):
            return False
        bases = {f"class:{cls.id}" for cls in mine.mro if cls in theirs.mro}
        return all((anchor := self._anchor(r)) is not None and anchor[0] in bases for r in (left, right))

    def evidence_of(self, left: Record, right: Record, group: Group) -> Evidence:
        """Why two records are thought to run in parallel: a thread that has the object, else the class's word."""
        if group.contract:
            return "contract"
        if left.context.root is None and right.context.root is None:
            return "contract" if self._promised(left) and self._promised(right) else "lock"
        if group.location.kind != "attribute" or left.static or right.static:
            return "thread"
        same = self.program.anchors.same(self._anchor(left), self._anchor(right))
        return "thread" if same or not group.owner_locks else "lock"

    def _anchor(self, record: Record) -> Anchor | None:
        """What the object whose variable it is hangs from, as the thread sees it."""
        if record not in self._anchors:
            self._anchors[record] = self._find_anchor(record)
        return self._anchors[record]

    def _find_anchor(self, record: Record) -> Anchor | None:
        access, path = record.access, self._object(record)
        if not path:
            return None
        anchor = self.program.anchors.of(path, access.function, dict(record.context.anchors))
        if anchor is not None and len(anchor) == 1 and access.location.kind == "attribute":
            anchor = self.program.anchors.at_home(anchor, access.location.owner)
        if anchor is not None and anchor[0].startswith("captured:"):
            _, module, qualname, _ = anchor[0].split(":", 3)
            return anchor if is_within(record, module, qualname) else None
        return anchor

    def _drives(self, record: Record, group: Group) -> bool:
        """The entry starts the threads that touch the location, and so is one of a kind."""
        return record.context.entry.function in group.starters
