"""What linking works out step by step is what it would find all at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from racelint.config.settings import Settings
from racelint.model.source import SourceFile
from racelint.program import link, unlink
from racelint.program.linker import Program
from racelint.program.names.askers import Question
from racelint.program.names.index import FunctionInfo
from racelint.program.objects.types import Types
from racelint.program.threads.context import Context
from racelint.summarize import summarize_source

FIXTURES = Path(__file__).parents[1] / "fixtures"
FOLDERS = ("rl101", "rl203", "rl701")


@pytest.fixture(params=FOLDERS)
def modules(request: pytest.FixtureRequest) -> list[tuple[SourceFile, Any]]:
    files = sorted((FIXTURES / request.param).glob("*.py"))
    return [
        (SourceFile(str(file), file.name, file.stem, True), summarize_source(file.read_bytes(), file.name))
        for file in files
    ]


def contexts(program: Program, function: FunctionInfo) -> Iterator[tuple[object, ...]]:
    for context in program.reach.of(function):
        yield tuple(map(facts, context.chain()))


def facts(context: Context) -> tuple[object, ...]:
    root = context.root.id if context.root is not None else ""
    return (context.function.id, context.site, root, context.held, context.perhaps, context.owned, context.private)


def test_contexts_are_the_same_in_whatever_order_they_are_asked_for(modules: list[tuple[SourceFile, Any]]) -> None:
    at_once, one_by_one = link(modules, Settings()), link(modules, Settings())
    at_once.reach.follow(at_once.index.functions)
    backwards = reversed(one_by_one.index.functions)
    found = {function.id: list(contexts(one_by_one, function)) for function in backwards}
    assert any(len(ways) > 1 for ways in found.values())
    assert found == {function.id: list(contexts(at_once, function)) for function in at_once.index.functions}


def test_calls_are_resolved_anew_wherever_that_changes_anything(
    modules: list[tuple[SourceFile, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything(types: Types) -> set[FunctionInfo]:
        for function in types.index.functions:
            for question in function.questions.values():
                question.things, question.tried = None, False
        return set(types.index.functions)

    def calls(program: Program) -> dict[str, list[tuple[object, ...]]]:
        return {
            name: [(site.event, site.callee.id, site.receiver, site.bindings, site.weak) for site in sites]
            for name, sites in program.calls.outgoing.items()
        }

    step_by_step = calls(link(modules, Settings()))
    monkeypatch.setattr(Types, "forget_outdated", everything)
    assert any(step_by_step.values())
    assert step_by_step == calls(link(modules, Settings()))


def test_unlinking_frees_every_question_without_a_search_for_cycles() -> None:
    files = sorted((FIXTURES / "rl101").glob("*.py"))
    modules = [
        (SourceFile(str(file), file.name, file.stem, True), summarize_source(file.read_bytes(), file.name))
        for file in files
    ]
    gc.collect()
    was_on = gc.isenabled()
    gc.disable()
    try:
        before = _questions()
        program = link(modules, Settings())
        unlink(program)
        del program
        assert _questions() == before
    finally:
        if was_on:
            gc.enable()


def _questions() -> int:
    return sum(type(one) is Question for one in gc.get_objects())
