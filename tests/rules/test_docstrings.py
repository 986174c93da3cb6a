"""Every rule's documentation is true: the bad example is flagged where it says, the good one is silent."""

from __future__ import annotations

import re

import pytest

from racelint.model.finding import Severity
from racelint.rules.base import SECTIONS, Rule
from racelint.rules.registry import all_rules, codes
from tests.rules.conftest import findings

RULE_BOOK: dict[str, tuple[str, Severity]] = {
    "RL101": ("unguarded-mutation", "error"),
    "RL102": ("inconsistent-guard", "error"),
    "RL103": ("wrong-lock", "error"),
    "RL104": ("check-then-act", "error"),
    "RL105": ("racy-lazy-init", "error"),
    "RL106": ("unsafe-iteration", "error"),
    "RL107": ("split-critical-section", "error"),
    "RL108": ("shared-class-state", "warning"),
    "RL109": ("escape-in-init", "error"),
    "RL110": ("guarded-reference-escape", "warning"),
    "RL111": ("shared-iterator", "error"),
    "RL201": ("acquire-without-release", "error"),
    "RL202": ("release-without-acquire", "error"),
    "RL203": ("self-deadlock", "error"),
    "RL204": ("lock-order-inversion", "error"),
    "RL206": ("per-call-lock", "error"),
    "RL207": ("lock-rebound", "error"),
    "RL210": ("lock-in-finalizer", "error"),
    "RL205": ("blocking-under-lock", "warning"),
    "RL208": ("unchecked-acquire", "warning"),
    "RL209": ("acquire-inside-try", "warning"),
    "RL212": ("lock-across-yield", "warning"),
    "RL213": ("callback-under-lock", "warning"),
    "RL309": ("unchecked-wait-timeout", "info"),
    "RL211": ("manual-acquire", "info"),
    "RL301": ("wait-outside-while", "error"),
    "RL302": ("condition-without-lock", "error"),
    "RL303": ("wait-holding-other-lock", "error"),
    "RL304": ("lost-notify", "error"),
    "RL305": ("notify-one-of-many", "warning"),
    "RL306": ("barrier-party-mismatch", "error"),
    "RL307": ("semaphore-imbalance", "error"),
    "RL308": ("event-clear-race", "warning"),
    "RL401": ("lock-in-hot-loop", "warning"),
    "RL402": ("cpu-bound-threads", "info"),
    "RL403": ("busy-wait", "warning"),
    "RL501": ("target-called", "error"),
    "RL502": ("start-result-used", "error"),
    "RL503": ("run-not-start", "error"),
    "RL504": ("bad-thread-arguments", "error"),
    "RL505": ("late-binding-capture", "warning"),
    "RL506": ("nested-submit-deadlock", "error"),
    "RL507": ("thread-init-skipped", "error"),
    "RL508": ("start-at-import", "warning"),
    "RL509": ("daemon-writer", "info"),
    "RL601": ("process-local-mutation", "error"),
    "RL602": ("shared-value-rmw", "error"),
    "RL603": ("missing-main-guard", "warning"),
    "RL604": ("thread-primitive-in-process", "error"),
    "RL605": ("unlocked-shared-array", "warning"),
    "RL606": ("fork-with-threads", "warning"),
    "RL607": ("join-before-drain", "error"),
    "RL608": ("nested-proxy-mutation", "error"),
    "RL701": ("thread-lock-across-await", "error"),
    "RL702": ("check-then-act-across-await", "error"),
    "RL703": ("loop-call-from-thread", "error"),
    "RL704": ("blocking-in-coroutine", "warning"),
    "RL705": ("dropped-task", "warning"),
}
"""The rule book: what a code means never changes."""

MARK = re.compile(r"#\s*((?:RL\d{3}\s*)+)$")


def by_code(rule: Rule) -> str:
    return rule.code


def marked_lines(source: str, code: str) -> list[int]:
    found = []
    for number, line in enumerate(source.splitlines(), 1):
        match = MARK.search(line)
        if match is not None and code in match[1].split():
            found.append(number)
    return found


@pytest.mark.parametrize("rule", all_rules(), ids=by_code)
def test_the_bad_example_is_flagged_exactly_where_it_says(rule: Rule) -> None:
    source = rule.example("Example")
    wanted = marked_lines(source, rule.code)
    assert wanted, "no line is marked"
    assert [finding.line for finding in findings(source, rule.code)] == wanted


@pytest.mark.parametrize("rule", all_rules(), ids=by_code)
def test_the_good_example_is_silent_for_every_rule(rule: Rule) -> None:
    source = rule.example("Use instead")
    assert source
    assert [f"{finding.line} {finding.code}" for finding in findings(source)] == []


@pytest.mark.parametrize("rule", all_rules(), ids=by_code)
def test_examples_are_python(rule: Rule) -> None:
    compile(rule.example("Example"), "bad", "exec")
    compile(rule.example("Use instead"), "good", "exec")


@pytest.mark.parametrize("rule", all_rules(), ids=by_code)
def test_code_name_and_severity_are_those_of_the_rule_book(rule: Rule) -> None:
    assert (rule.name, rule.severity) == RULE_BOOK[rule.code]


@pytest.mark.parametrize("rule", all_rules(), ids=by_code)
def test_a_rule_is_named_like_its_file_and_class(rule: Rule) -> None:
    module = type(rule).__module__.rpartition(".")[2]
    assert module == rule.name.replace("-", "_")
    assert type(rule).__name__ == "".join(word.title() for word in rule.name.split("-"))


@pytest.mark.parametrize("rule", all_rules(), ids=by_code)
def test_the_sections_stand_in_their_order(rule: Rule) -> None:
    found = re.findall(r"^## (.+)$", rule.docstring, re.MULTILINE)
    assert [section for section in found if section in SECTIONS] == list(SECTIONS)
    assert rule.summary.endswith(".")


def test_the_codes_that_files_state_are_those_of_the_rules() -> None:
    assert codes() == tuple(rule.code for rule in all_rules())
