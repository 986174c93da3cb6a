"""Objects that are made for one thread each, by the function that starts it, and are given to it as arguments."""

from __future__ import annotations

from racelint.model.summary import Path
from racelint.program.calling.calls import CallSite
from racelint.program.linker import Program
from racelint.program.locking.substitution import Owner, substituted
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot, in_one_turn
from racelint.program.objects.things import Instance
from racelint.program.parallel.parts import Parts
from racelint.program.threads.context import Context
from racelint.program.threads.thread_objects import left_to_callers, only_looks


class GivenObjects:
    """`for …: session = Session(); Thread(target=self.handle, args=(session,)).start()`, whoever else has it then."""

    def __init__(self, program: Program, parts: Parts) -> None:
        self.program = program
        self.parts = parts

    def each_has(self, root: ThreadRoot, context: Context, path: Path) -> bool:
        """Whether the object at `path`, in this context, is an argument of the thread that is made anew for each.

        Or what such an argument has for itself.
        """
        given = self._given(root, context, path)
        return given is not None and self._is_made_for_each(given, root)

    def keeps_from_users(self, root: ThreadRoot, context: Context, path: Path) -> bool:
        """Whether users never get the object that each thread has: it goes nowhere but into what its maker hides."""
        given, maker = self._given(root, context, path), root.site_function
        if given is None or maker is None or not self._is_made_for_each(given, root):
            return False
        facts = self.program.stores.facts[maker.id]
        if any(given in value for value in left_to_callers(facts)):
            return False
        kept = [access.path for access in facts.accesses if access.kind == "write" and given in access.value]
        handed = [call for call in facts.calls if any(given in argument.value for argument in call.args)]
        kept += [func[:-1] for call in handed if call is not root.site for func in call.func]
        return all(place[0].startswith("v:") or self._is_hidden(place, maker) for place in kept)

    def _is_hidden(self, place: Path, maker: FunctionInfo) -> bool:
        """A private attribute of the maker's object, which no method gives out."""
        if len(place) < 2 or place[0] != f"p:{maker.self_name}" or not place[1].startswith("_") or maker.cls is None:
            return False
        for function in maker.cls.own.values():
            facts = self.program.stores.facts[function.id]
            given_out = [path for value in left_to_callers(facts) for path in value]
            calls = [call for call in facts.calls if not only_looks(call.func)]
            given_out += [path for call in calls for argument in call.args for path in argument.value]
            if any(path[1:2] == place[1:2] and path[0] == f"p:{function.self_name}" for path in given_out):
                return False
        return True

    def _given(self, root: ThreadRoot, context: Context, path: Path) -> Path | None:
        """The argument of the thread that the path hangs from, as the function that starts the thread has it.

        None where what is at the path is not the argument's own.
        """
        at_target = self._at_target(context, path)
        if not at_target or not at_target[0].startswith("p:"):
            return None
        value = root.bindings.get(at_target[0][2:], ())
        return value[0] if len(value) == 1 and self._is_its_own(at_target[1:], value[0], root) else None

    def _is_its_own(self, fields: Path, argument: Path, root: ThreadRoot) -> bool:
        """Whether the argument has what its attributes lead to for itself; no attributes lead to the argument."""
        if not fields:
            return True
        maker, anchors = root.site_function, self.program.anchors
        things = self.program.types.of(argument, maker) if maker is not None else ()
        owners = [thing.cls for thing in things if isinstance(thing, Instance)]
        return bool(owners) and all(
            self.parts.is_part_of((*anchors.of_class(owner), *fields), owner) for owner in owners
        )

    def _at_target(self, context: Context, path: Path) -> Owner:
        """The path as the thread's target sees it; None where it is no argument of its, nor anything of one."""
        found: Owner = path
        while found and found[0].startswith("p:") and context.parent is not None:
            site = self._site(context)
            found = substituted(found, site, self.program.index) if site is not None else None
            context = context.parent
        return found

    def _site(self, context: Context) -> CallSite | None:
        assert context.parent is not None
        sites = self.program.calls.at(context.parent.function, context.site)
        return next((site for site in sites if site.callee is context.function), None)

    def _is_made_for_each(self, path: Path, root: ThreadRoot) -> bool:
        maker, call = root.site_function, root.site
        if maker is None or call is None or len(path) != 1 or not path[0].startswith("c:"):
            return False
        return in_one_turn(maker, int(path[0][2:]), call.id) and self.program.ownership.is_fresh(path[0], maker)
