"""Does an operation run at all with the values made up for it? Each is tried alone, on a fresh set-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from racelint.model.scenario import Answer, Operation, Scenario

SETUP_FAILED = "the set-up failed: "
WRONG_KIND = ("TypeError", "AttributeError", "NameError")
"""What an argument of the wrong kind raises: such an operation has shown nothing."""

ALTERNATIVES = ("'key'", "[1, 2]", "1", "{'key': 1}", "lambda *args, **kwargs: 1", "b'data'", "(1, 1)", "None")
"""Tried in turn for parameters of which nothing is known."""

PROBE_SECONDS = 2.0

Run = Callable[[Scenario, float], Answer]


def raised_alone(scenario: Scenario, run: Run) -> dict[str, str]:
    """For each operation that raises when run alone: its label, and the exception as `TypeError: …`."""
    found = {}
    for operation in dict.fromkeys(scenario.operations):
        answer = run(_alone(scenario, operation), PROBE_SECONDS)
        if answer.status == "unsupported" and answer.reason.startswith(SETUP_FAILED):
            found[operation.label] = answer.reason.removeprefix(SETUP_FAILED)
    return found


def is_misfit(raised: dict[str, str], scenario: Scenario) -> bool:
    """Whether every operation fails for the kind of its values, so that nothing was explored."""
    labels = {operation.label for operation in scenario.operations}
    return bool(raised) and all(raised.get(label, "").startswith(WRONG_KIND) for label in labels)


def other_guesses(guessed: list[str], current: dict[str, str]) -> Iterator[dict[str, str]]:
    """Assignments of values to the guessed parameters, one parameter changed at a time, then all alike."""
    for name in guessed:
        for expression in ALTERNATIVES:
            yield {**current, name: expression}
    if len(guessed) > 1:
        for expression in ALTERNATIVES:
            yield {**current, **dict.fromkeys(guessed, expression)}


def _alone(scenario: Scenario, operation: Operation) -> Scenario:
    setup = "\n".join(part for part in (scenario.setup, operation.source) if part)
    return msgspec.structs.replace(
        scenario,
        kind="threads",
        setup=setup,
        operations=(Operation("nothing", "None"),),
        after="",
        invariant="",
        code="",
    )
