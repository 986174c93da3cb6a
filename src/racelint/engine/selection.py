"""Which rules run: `select`, `extend-select` and `ignore`, as codes, prefixes of codes, or ALL."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from racelint.config.settings import Settings
from racelint.engine.unreadable import UnreadableFile
from racelint.rules.base import Rule
from racelint.rules.registry import all_rules


class UnknownRule(Exception):
    """A selector that is neither a code nor a prefix of one; the text names the nearest."""


def chosen_rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules to run, in the order of their codes. Raises UnknownRule.

    The longest selector that matches a code decides, `ignore` winning a tie, so that `select = ["RL1"]` with
    `ignore = ["RL101"]` and the reverse both mean what they say. Without `select`, rules are on by their own default.
    """
    rules = all_rules()
    _check_known((*settings.select, *settings.extend_select, *settings.ignore), [rule.code for rule in rules])
    return tuple(rule for rule in rules if is_chosen(rule.code, settings, default=rule.default_on))


def rule_book() -> tuple[Rule, ...]:
    """Every rule that can be reported: those that check, and the engine's own."""
    return tuple(sorted((*all_rules(), UnreadableFile()), key=lambda rule: rule.code))


def is_refused(code: str, settings: Settings) -> bool:
    """Whether `ignore` names `code` more closely than `select` does; for what is on even where `select` omits it."""
    return _longest(code, settings.ignore) > _longest(code, (*settings.select, *settings.extend_select))


def is_chosen(code: str, settings: Settings, *, default: bool = True) -> bool:
    """Whether `code` is on; `default` holds where no selector speaks of it."""
    wanted = _longest(code, (*settings.select, *settings.extend_select))
    refused = _longest(code, settings.ignore)
    if wanted < 0:
        return default and not settings.select and refused < 0
    return wanted > refused


def _longest(code: str, selectors: Sequence[str]) -> int:
    """Length of the longest selector that matches `code`: 0 for ALL, -1 for none."""
    lengths = [0 if selector == "ALL" else len(selector) for selector in selectors if _matches(code, selector)]
    return max(lengths, default=-1)


def _matches(code: str, selector: str) -> bool:
    return selector == "ALL" or code.startswith(selector)


def _check_known(selectors: Iterable[str], codes: Sequence[str]) -> None:
    for selector in selectors:
        if not selector or not any(_matches(code, selector) for code in (*codes, UnreadableFile.code)):
            close = difflib.get_close_matches(selector.upper(), codes, n=1, cutoff=0.5)
            hint = f"; did you mean {close[0]}?" if close else "; `racelint rule --all` lists them"
            raise UnknownRule(f"unknown rule {selector!r}{hint}")
