"""Which rules run: `select`, `extend-select` and `ignore`, as codes, prefixes of codes, or ALL."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

from racelint.config.settings import Settings
from racelint.engine.own_rules import OWN_RULES
from racelint.engine.unreadable import UnreadableFile
from racelint.rules.base import Rule
from racelint.rules.registry import all_rules


def rule_book() -> tuple[Rule, ...]:
    """Every rule that can be reported: those that check, and the engine's own."""
    return tuple(sorted((*all_rules(), *OWN_RULES), key=lambda rule: rule.code))


def chosen_rules(settings: Iterable[Settings]) -> tuple[Rule, ...]:
    """The rules that any of these settings wants, in the order of their codes."""
    wanted = list(settings)
    return tuple(rule for rule in all_rules() if any(is_on(rule, each) for each in wanted))


def is_on(rule: Rule, settings: Settings) -> bool:
    """Whether `rule` is to be reported under `settings`.

    The longest selector that matches a code decides, `ignore` winning a tie, so that `select = ["RL1"]` with
    `ignore = ["RL101"]` and the reverse both mean what they say. Without `select`, rules are on by their own default.
    A file that cannot be read is reported even where `select` omits that.
    """
    selected = longest(rule.code, (*settings.select, *settings.extend_select))
    refused = longest(rule.code, settings.ignore)
    if rule.code == UnreadableFile.code:
        return refused <= selected
    if selected < 0:
        return rule.default_on and not settings.select and refused < 0
    return selected > refused


def longest(code: str, selectors: Sequence[str]) -> int:
    """Length of the longest selector that matches `code`: 0 for ALL, -1 for none."""
    lengths = [0 if selector == "ALL" else len(selector) for selector in selectors if matches(code, selector)]
    return max(lengths, default=-1)


def matches(code: str, selector: str) -> bool:
    """Whether `selector`, a code or a prefix of codes or ALL, means `code`."""
    return selector == "ALL" or code.startswith(selector)


def unknown_selectors(settings: Settings) -> Iterator[tuple[str, str]]:
    """Each selector that names no rule: the key it stands in, and what is wrong with it."""
    given = {"select": settings.select, "extend-select": settings.extend_select, "ignore": settings.ignore}
    given |= {f'per-file-ignores."{pattern}"': codes for pattern, codes in settings.per_file_ignores.items()}
    given["severities"] = tuple(settings.severities)
    codes = [rule.code for rule in rule_book()]
    for key, selectors in given.items():
        for selector in selectors:
            if not selector or not any(matches(code, selector) for code in codes):
                yield key, f"unknown rule {selector!r}{nearest_code(selector, codes)}"


def nearest_code(selector: str, codes: Sequence[str]) -> str:
    """`; did you mean RL101?` for what is no code."""
    close = difflib.get_close_matches(selector.upper(), codes, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else "; `racelint rule --all` lists them"
