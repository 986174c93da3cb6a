"""What TARGET means on the command line, and the scenarios it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from racelint.confirm.combinations import (
    Combination,
    class_combinations,
    prepared_combinations,
    public_entries,
    repeated,
    waiting_combinations,
)
from racelint.confirm.errors import CannotRun
from racelint.confirm.footprint import Footprint
from racelint.confirm.operations import Entry, returned_functions
from racelint.confirm.outline import ClassOutline, FunctionOutline
from racelint.confirm.pairing import paired
from racelint.confirm.recipes import Attempt
from racelint.confirm.scenes import Stage, program_scenario, thread_objects_scenario, threads_scenario
from racelint.confirm.ways_in import neighbours
from racelint.model.finding import Finding
from racelint.model.scenario import ScenarioKind

_CODE = re.compile(r"(RL\d{3})(?:@(\d+))?", re.IGNORECASE)
_TEST = re.compile(r"((?:.*[/\\])?(?:test_[^/\\]*|[^/\\:]*_test)\.py)::((?:\w+::)*test\w*(?:\[.*\])?)")
"""A test of a file that pytest would collect, by its node id."""
_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
NAMES_SHOWN = 12


@dataclass(frozen=True)
class Target:
    """A parsed TARGET: findings by `code` (and `line`) of `path`, a `fingerprint`, a `test`, or `names` of `path`."""

    text: str
    path: str = ""
    code: str = ""
    line: int = 0
    fingerprint: str = ""
    names: tuple[str, ...] = ()
    test: str = ""

    @property
    def is_test(self) -> bool:
        return bool(self.test)

    @property
    def wants_findings(self) -> bool:
        return bool(self.code or self.fingerprint)

    def selects(self, finding: Finding, cwd: Path) -> bool:
        """Whether the finding is one that the target names."""
        if self.fingerprint:
            return finding.fingerprint == self.fingerprint
        same_file = (cwd / finding.path).resolve() == (cwd / self.path).resolve()
        return same_file and finding.code == self.code and self.line in (0, finding.line)


def parse_target(text: str) -> Target:
    """Read one TARGET. Raises CannotRun with a sentence for text that is none."""
    test = _TEST.fullmatch(text)
    if test:
        return Target(text, path=test[1], test=test[2])
    path, separator, rest = text.rpartition("::")
    if not separator:
        if _FINGERPRINT.fullmatch(text):
            return Target(text, fingerprint=text)
        raise CannotRun(f"`{text}` is no target: give PATH::CODE, PATH::CODE@LINE, PATH::NAME[,NAME] or a fingerprint")
    code = _CODE.fullmatch(rest)
    if code:
        return Target(text, path=path, code=code[1].upper(), line=int(code[2] or 0))
    names = tuple(name.strip() for name in rest.split(","))
    if not path or not all(names):
        raise CannotRun(f"`{text}` is no target: a path, `::` and the names to run are needed")
    return Target(text, path=path, names=names)


def target_attempts(stage: Stage, target: Target) -> list[Attempt]:
    """The scenarios that the names of a target ask for. Raises CannotRun for a name that is not there."""
    found = [resolved(stage, name) for name in target.names]
    if len(found) == 1 and isinstance(found[0], ClassOutline):
        return list(_class_attempts(stage, found[0]))
    entries = [_entry(stage, name, one) for name, one in zip(target.names, found, strict=True)]
    if len(entries) == 1:
        return list(_closure_attempts(stage, entries[0])) or list(_single_attempts(stage, entries[0]))
    return list(_together(stage, entries))


def resolved(stage: Stage, name: str) -> ClassOutline | FunctionOutline:
    """The class or function of the stage's module called `name`. Raises CannotRun where there is none."""
    module = stage.module
    if name in module.classes:
        return module.classes[name]
    if name in module.functions:
        return module.functions[name]
    owner, _, method = name.rpartition(".")
    if owner in module.classes:
        inherited = stage.project.find_method(module, module.classes[owner], method)
        if inherited is not None:
            return inherited
        known = [m for m in stage.project.methods(module, module.classes[owner]) if not m.startswith("__")]
        raise CannotRun(f"{module.path.name}: class `{owner}` has no method `{method}`{_choice(known)}")
    known = [n for n in (*module.classes, *module.functions) if "." not in n]
    raise CannotRun(f"{module.path.name}: there is no class or function `{name}`{_choice(known)}")


def _choice(names: Sequence[str]) -> str:
    if not names:
        return ""
    return "; there are: " + ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")


def _entry(stage: Stage, name: str, found: ClassOutline | FunctionOutline) -> Entry:
    if isinstance(found, ClassOutline):
        raise CannotRun(f"`{name}` is a class: give one class alone, or methods as CLASS.METHOD,CLASS.METHOD")
    owner = stage.module.classes.get(name.rpartition(".")[0])
    return Entry(stage.module, found, owner)


def _class_attempts(stage: Stage, cls: ClassOutline) -> Iterator[Attempt]:
    """Every public method with itself and in pairs; those that start threads also alone."""
    if stage.project.is_thread_class(stage.module, cls):
        yield lambda: thread_objects_scenario(stage, stage.module, cls)
    entries = public_entries(stage.project, stage.module, cls) or public_entries(
        stage.project, stage.module, cls, coroutines=True
    )
    constructor = cls.methods.get("__new__") or cls.methods.get("__init__")
    if constructor is not None and (constructor.name == "__new__" or not entries):
        entries.append(Entry(stage.module, constructor, cls))
    if not entries:
        raise CannotRun(f"class `{cls.qualname}` has no public method")
    for entry in entries:
        if stage.starts_threads(entry):
            yield _program(stage, entry)
    found = class_combinations(stage.footprints, entries)
    combinations = [c for c in found if all(stage.repeats(entry) for entry in repeated(c))]
    combinations.extend(waiting_combinations(stage.footprints, entries))
    combinations.extend(prepared_combinations(stage.footprints, entries, combinations))
    for combination in combinations:
        yield _threads(stage, paired(stage.project, combination))


def _single_attempts(stage: Stage, entry: Entry) -> Iterator[Attempt]:
    """The operation alone where it starts threads of its own, else with itself, twice and three times."""
    if stage.starts_threads(entry) or _footprint(stage, entry).starts_processes:
        yield _program(stage, entry)
        if stage.called_again(entry):
            yield _threads(stage, Combination(((entry, entry),)))
        return
    if not stage.repeats(entry) and entry.cls is not None:
        yield lambda: thread_objects_scenario(stage, entry.module, entry.cls)  # type: ignore[arg-type]
        return
    yield _threads(stage, Combination(((entry,), (entry,))))
    yield _threads(stage, Combination(((entry,), (entry,)), swapped=True))
    yield _threads(stage, Combination(((entry,), (entry,), (entry,))))
    yield from _prepared(stage, entry, Combination(((entry,), (entry,))))


def _closure_attempts(stage: Stage, entry: Entry) -> Iterator[Attempt]:
    """The functions that the entry makes and returns, each with itself and in pairs; none where it returns none."""
    outer = entry.function
    made = [stage.module.functions.get(f"{outer.qualname}.<locals>.{name}") for name in returned_functions(outer)]
    entries = [Entry(stage.module, function) for function in made if function is not None]
    for index, first in enumerate(entries):
        for second in entries[index:]:
            yield _threads(stage, Combination(((first,), (second,))))


def _together(stage: Stage, entries: list[Entry]) -> Iterator[Attempt]:
    """The operations named, one thread each."""
    threads = tuple((entry,) for entry in entries)
    yield _threads(stage, Combination(threads))
    yield _threads(stage, Combination(threads, swapped=True))
    yield from _prepared(stage, entries[0], Combination(threads))


def _prepared(stage: Stage, entry: Entry, combination: Combination) -> Iterator[Attempt]:
    """The combination on an object that another operation has filled."""
    for prepared in prepared_combinations(stage.footprints, neighbours(stage, entry.function), [combination]):
        yield _threads(stage, prepared)


def _footprint(stage: Stage, entry: Entry) -> Footprint:
    return stage.footprints.of(entry.function, entry.cls)


def _program(stage: Stage, entry: Entry) -> Attempt:
    kind: ScenarioKind = "processes" if _footprint(stage, entry).starts_processes else "program"
    return lambda: program_scenario(stage, entry, kind)


def _threads(stage: Stage, combination: Combination) -> Attempt:
    return lambda: threads_scenario(stage, combination)
