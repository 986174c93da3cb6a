"""Which rules run: `select`, `extend-select` and `ignore`, as codes, prefixes of codes, or ALL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from racelint.config.load import ConfigError
from racelint.config.settings import Settings
from racelint.engine.own_rules import OWN_RULES
from racelint.engine.unreadable import UnreadableFile
from racelint.model.finding import Finding
from racelint.rules.base import Rule

if TYPE_CHECKING:
    from racelint.rules.subjects import Mentions


class RuleBook(Mapping[str, Rule]):
    """Every rule that can be reported by its code: those that check, and the engine's own.

    Those that check are imported, with all their analyses, when the first of them is asked for.
    """

    def __init__(self) -> None:
        self._own = {rule.code: rule for rule in OWN_RULES}

    def __getitem__(self, code: str) -> Rule:
        return self._own[code] if code in self._own else self._all[code]

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)

    @cached_property
    def _codes(self) -> tuple[str, ...]:
        from racelint.rules.registry import codes

        return tuple(sorted((*codes(), *self._own)))

    @cached_property
    def _all(self) -> dict[str, Rule]:
        return {rule.code: rule for rule in rule_book()}


class Selection:
    """The rules that any of some settings wants."""

    def __init__(self, settings: Iterable[Settings]) -> None:
        self._wanted = list(dict.fromkeys((each.select, each.extend_select, each.ignore) for each in settings))
        self._chosen: dict[tuple[Rule, ...], tuple[Rule, ...]] = {}

    @property
    def name(self) -> bytes:
        """Selections of one name choose the same rules."""
        return msgspec.msgpack.encode(self._wanted)

    def rules_about(self, mentions: Mentions) -> tuple[Rule, ...]:
        """Those that may have something to say, in the order of their codes.

        Raises ConfigError for a plugin that cannot be loaded.
        """
        from racelint.rules.registry import BadPlugin, rules_about

        try:
            rules = rules_about(mentions)
        except BadPlugin as error:
            raise ConfigError(str(error)) from None
        if rules not in self._chosen:
            self._chosen[rules] = tuple(rule for rule in rules if self._wants(rule))
        return self._chosen[rules]

    def _wants(self, rule: Rule) -> bool:
        return any(is_on(rule, Settings(select=a, extend_select=b, ignore=c)) for a, b, c in self._wanted)

    def everywhere(self, findings: Iterable[Finding]) -> frozenset[str]:
        """Codes of findings that the chosen rules made and every file wants; none where that takes a closer look."""
        return frozenset(finding.code for finding in findings) if len(self._wanted) == 1 else frozenset()


def rule_book() -> tuple[Rule, ...]:
    """Every rule that can be reported: those that check, and the engine's own."""
    from racelint.rules.registry import all_rules

    return tuple(sorted((*all_rules(), *OWN_RULES), key=lambda rule: rule.code))


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
    if not any(given.values()):
        return
    codes = tuple(RuleBook())
    for key, selectors in given.items():
        for selector in selectors:
            if not selector or not any(matches(code, selector) for code in codes):
                yield key, f"unknown rule {selector!r}{nearest_code(selector, codes)}"


def nearest_code(selector: str, codes: Sequence[str]) -> str:
    """`; did you mean RL101?` for what is no code: the one that has the most of it, and at the same places."""
    from difflib import SequenceMatcher

    def likeness(code: str) -> tuple[float, int]:
        same = sum(one == other for one, other in zip(selector.upper(), code, strict=False))
        return SequenceMatcher(None, selector.upper(), code).ratio(), same

    close = max(codes, key=likeness)
    return f"; did you mean {close}?" if likeness(close)[0] >= 0.6 else "; `racelint rule --all` lists them"
