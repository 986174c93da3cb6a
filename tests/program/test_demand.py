"""What is worked out for those who are asked about is what would be found for all at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from racelint.config.settings import Settings
from racelint.model.source import SourceFile
from racelint.program import link
from racelint.program.linker import Program
from racelint.summarize import summarize_source

FIXTURES = Path(__file__).parents[1] / "fixtures"


@pytest.fixture(params=("rl203", "rl205", "rl210"))
def modules(request: pytest.FixtureRequest) -> list[tuple[SourceFile, Any]]:
    files = sorted((FIXTURES / request.param).glob("*.py"))
    return [
        (SourceFile(str(file), file.name, file.stem, True), summarize_source(file.read_bytes(), file.name))
        for file in files
    ]


def taken(program: Program) -> dict[str, list[tuple[object, ...]]]:
    return {
        function.id: [
            (entry.fact.key, entry.owner, entry.given, entry.certain, [(s.caller.id, s.event) for s in entry.chain])
            for entry in program.takings.taken(function)
        ]
        for function in program.index.functions
    }


def test_what_a_run_takes_is_the_same_in_whatever_order_it_is_asked_for(modules: list[tuple[SourceFile, Any]]) -> None:
    at_once, one_by_one = link(modules, Settings()), link(modules, Settings())
    at_once.takings.work_out(at_once.index.functions)
    for function in reversed(one_by_one.index.functions):
        one_by_one.takings.taken(function)
    found = taken(one_by_one)
    assert any(entry[-1] for entries in found.values() for entry in entries)
    assert found == taken(at_once)


def test_calls_are_found_by_what_they_are_written_with_in_source_order(modules: list[tuple[SourceFile, Any]]) -> None:
    program = link(modules, Settings())
    words = {"acquire", "release", "Lock", "start"}
    every = [
        (function, call) for function in program.index.functions for call in program.stores.facts[function.id].calls
    ]
    wanted = [
        (function.id, call.id)
        for function, call in every
        if any(path[-1].rpartition(":")[2] in words for path in call.func)
    ]
    assert wanted
    assert [(function.id, call.id) for function, call in program.callees.written(*words)] == wanted
    mixed = program.callees.calls(words=words, names=program.callees.names, members=program.callees.members)
    assert len({id(call) for _, call in mixed}) == len(mixed)
    assert mixed == [entry for entry in every if entry in mixed]


@pytest.mark.parametrize("folder", ["rl101", "rl103", "rl104", "rl106"])
def test_what_is_done_to_a_variable_is_found_by_its_name_alone(folder: str) -> None:
    files = [(file.name, file.read_bytes()) for file in sorted((FIXTURES / folder).glob("*.py"))]
    for name, text in [*files, ("other_names.py", _OTHER_NAMES)]:
        modules = [(SourceFile(name, name, name.removesuffix(".py"), True), summarize_source(text, name))]
        whole = link(modules, Settings()).shared
        known: dict[str, list[tuple[str, int]]] = {}
        for function in whole.index.functions:
            for access in whole.of(function):
                known.setdefault(str(access.location), []).append((access.function.id, access.event))
        locations = {access.location for function in whole.index.functions for access in whole.of(function)}
        assert locations or name != "other_names.py"
        for location in locations:
            alone = link(modules, Settings()).shared
            assert [(a.function.id, a.event) for a in alone.at(location)] == known[str(location)]


_OTHER_NAMES = b"""
class Keeper:
    def __init__(self):
        self._rows = {}

    @property
    def rows(self):
        return self._rows

    def entries(self):
        return self._rows

    def drop(self, key):
        found = self._rows.get(key)
        for each in found:
            print(each)

    def fill(self):
        made = []
        self.made = made
        made.append(1)


class User:
    def __init__(self, known):
        self.known = known

    def add(self):
        self.known[1] = 2


KEEPER = Keeper()
USER = User(KEEPER._rows)


def by_call():
    KEEPER.entries()[1] = []
    KEEPER.rows[2] = []
    found = KEEPER.entries()
    found.clear()
"""
