"""Which scenarios are worth a search, and with which made-up values: the serial orders of each tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from racelint.confirm.frameworks import SETTINGS
from racelint.confirm.recorded import MOST_SAMPLES
from racelint.confirm.scenes import BEFOREHAND
from racelint.confirm.values import Guesses
from racelint.model.scenario import Probe, Scenario

SETUP_FAILED = "the set-up failed: "
WRONG_KIND = ("TypeError", "AttributeError", "NameError", "ValueError")
"""What an argument of the wrong kind raises: such an operation has shown nothing."""

UNREACHABLE = (
    "Connection refused",
    "Name or service not known",
    "name resolution",
    "Network is unreachable",
    "gaierror",
)
"""What sockets say where there is no such server or no network."""

ALTERNATIVES = (
    "'key'", "[1, 2]", "1", "{'key': 1}", "lambda *args, **kwargs: 1", "stand_in('unknown')", "b'data'", "(1, 1)",
    "None", "['key']", "[stand_in('item')]", "[]",
)  # fmt: skip
"""Tried in turn for parameters of which nothing is known."""

WANTED = {
    "bytes-like object is required": ("b'data'",),
    "os.PathLike": ("'key'", "['key']", "[]"),
    "expected string": ("'key'", "['key']"),
    "must be str": ("'key'", "['key']"),
    "is not iterable": ("['key']", "{'key': 1}", "[]"),
    "is not callable": ("lambda *args, **kwargs: 1",),
    "is not subscriptable": ("{'key': 1}", "['key']"),
    "has no attribute": ("stand_in('unknown')", "'key'", "[stand_in('item')]"),
}
"""What is likely to do where an error says so."""

MOST_OPTIONS = 10
"""Parameters with a usual value that are set otherwise, and other sources of objects."""

STRUCTURES = 3
"""Scenarios that each choice of values is tried on."""

ROUNDS = 2
"""Parameters that are changed one after the other."""

MOST_SCENARIOS = 40
MOST_VARIANTS = 60

SEARCHES_ALONE = frozenset({"processes", "cost"})
"""Kinds that have no serial orders under control."""

NO_CONFLICT_NEEDED = ("RL2", "RL3", "RL506", "RL606")
"""Rules whose defect shows without two threads that access one location."""

Ask = Callable[[Sequence[Scenario]], Sequence[Probe]]
"""Probes scenarios; those at the end may be missing."""

Choice = dict[str, str]
"""Expressions by the name of a parameter."""

Build = Callable[[int], Sequence[Scenario]]
"""That many scenarios, with the values that are chosen at the moment."""


@dataclass(frozen=True)
class Candidate:
    """A scenario and what is known of it, None where it was not probed."""

    scenario: Scenario
    probe: Probe | None = None

    @property
    def is_misfit(self) -> bool:
        """Whether an operation cannot be called so, or every one fails: what such a scenario shows is its own doing."""
        if self.probe is not None and self.probe.unfit:
            return True
        raised = self.probe.raised if self.probe is not None else {}
        labels = {operation.label for operation in self.scenario.operations}
        return bool(raised) and all(raised.get(label, "").startswith(WRONG_KIND) for label in labels)

    @property
    def wants_network(self) -> bool:
        """Whether an operation, or the set-up, ends because nobody is there to connect to."""
        return any(words in text for text in self.said for words in UNREACHABLE)

    @property
    def said(self) -> list[str]:
        """What the set-up failed with, and what operations raise."""
        return [self.probe.failure, *self.probe.raised.values()] if self.probe is not None else []

    @property
    def rank(self) -> tuple[int, ...]:
        """Smaller is more promising: it runs, comes to the finding, its threads meet or wait there, to most lines."""
        probe = self.probe
        if probe is None:
            return (False, False, False, False, False, 0) if self.scenario.kind in SEARCHES_ALONE else (False, True)
        needs_conflict = not self.scenario.code.startswith(NO_CONFLICT_NEEDED)
        return (
            bool(probe.failure),
            self.is_misfit,
            bool(self.scenario.flagged) and not probe.reached,
            needs_conflict and bool(self.scenario.flagged) and not probe.flagged_conflicts,
            needs_conflict and not probe.conflicts,
            not needs_conflict and not probe.hangs,
            len({(site.path, site.line) for site in self.scenario.flagged}) - probe.reached,
        )

    @property
    def is_promising(self) -> bool:
        return not any(self.rank[:5])


@dataclass
class Selection:
    """Chooses the scenarios to search; `guesses` is asked for other values where the usual ones come to nothing."""

    ask: Ask
    build: Build
    guesses: Guesses
    known: dict[tuple[object, ...], Candidate] = field(default_factory=dict)

    def promising(self) -> list[Candidate]:
        """The scenarios with the best values found, most promising first; those that cannot run only where none can."""
        best = self._best_sample(self._configured(self._probed(list(self.build(MOST_SCENARIOS)))))
        if best and not best[0].is_promising and self.guesses.mined:
            self.guesses.mining = False
            unmined = self._probed(list(self.build(MOST_SCENARIOS)))
            self.guesses.mining = not unmined or unmined[0].rank >= best[0].rank
            best = best if self.guesses.mining else unmined
        best = self._offline(self._made_otherwise(best))
        for _ in range(ROUNDS):
            if not best or best[0].is_promising or not (self.guesses.made or self.guesses.options):
                break
            other = self._with_other_values(best[0])
            if other is None:
                break
            best = self._probed(other)
        usable = [candidate for candidate in best if not candidate.rank[0] and not candidate.is_misfit]
        return usable or best

    def with_other_values(self, tried: Sequence[Candidate]) -> list[Candidate]:
        """What was probed besides, with values that were not chosen although they do as well; the best first."""
        done = {key(candidate.scenario) for candidate in tried}
        others = [candidate for known, candidate in self.known.items() if known not in done]
        return sorted((one for one in others if one.is_promising), key=lambda one: one.rank)

    def unmined(self) -> list[Candidate]:
        """The scenarios with values made up where those of calls elsewhere were taken; none where none were."""
        if not self.guesses.mined or not self.guesses.mining:
            return []
        self.guesses.mining = False
        return [one for one in self._probed(list(self.build(MOST_SCENARIOS))) if one.is_promising]

    def _made_otherwise(self, best: list[Candidate]) -> list[Candidate]:
        """The scenarios with objects made up, where those made as elsewhere in the code cannot be had."""
        if not best or best[0].probe is None or not best[0].probe.failure or not self.guesses.mined_objects:
            return best
        self.guesses.mining_objects = False
        other = self._probed(list(self.build(MOST_SCENARIOS)))
        self.guesses.mining_objects = not other or other[0].rank >= best[0].rank
        return best if self.guesses.mining_objects else other

    def _configured(self, best: list[Candidate]) -> list[Candidate]:
        """The scenarios with the settings of the framework that says it has none."""
        for words, statements in SETTINGS.items():
            if any(words in text for candidate in best for text in candidate.said):
                self.guesses.beforehand.update(dict.fromkeys(statements))
                best = self._probed(list(self.build(MOST_SCENARIOS)))
        return best

    def _best_sample(self, first: list[Candidate]) -> list[Candidate]:
        """The scenarios with the recorded calls that come furthest; `first` has the first of each."""
        best, chosen = first, self.guesses.sample
        for sample in (*range(1, MOST_SAMPLES), None):
            if not best or best[0].is_promising or not self.guesses.sampled:
                break
            self.guesses.sample = sample
            other = self._probed(list(self.build(MOST_SCENARIOS)))
            if other and other[0].rank < best[0].rank:
                best, chosen = other, sample
        self.guesses.sample = chosen
        return best

    def _offline(self, best: list[Candidate]) -> list[Candidate]:
        """The scenarios with stubs for sockets, where nobody answers what they connect to and that helps."""
        wanting = sum(candidate.wants_network for candidate in best)
        if not wanting or (best[0].is_promising and not best[0].wants_network):
            return best
        self.guesses.network = False
        other = self._probed(list(self.build(MOST_SCENARIOS)))
        fewer = sum(candidate.wants_network for candidate in other) < wanting
        self.guesses.network = not (other and fewer and other[0].rank <= best[0].rank)
        return best if self.guesses.network else other

    def _with_other_values(self, best: Candidate) -> list[Scenario] | None:
        """The scenarios with one parameter changed so that they become more promising, None for no such change."""
        made = list(self.guesses.made)
        winner = self._winner(best, made, lambda: self.build(STRUCTURES)) or self._winner(best, [], self._prepared)
        if winner is None:
            return None
        self.guesses.chosen = winner
        return list(self.build(MOST_SCENARIOS))

    def _winner(self, best: Candidate, made: list[str], build: Callable[[], Sequence[Scenario]]) -> Choice | None:
        """The choice of values for parameters whose scenarios are the most promising, if more so than the best."""
        current = dict(self.guesses.chosen)
        variants: list[tuple[Choice, Scenario]] = []
        for chosen in other_guesses(made, self.guesses.options, current, likely_first(best.said)):
            self.guesses.chosen = chosen
            variants += [(chosen, scenario) for scenario in build()]
            if len(variants) > MOST_VARIANTS:
                break
        self.guesses.chosen = current
        self._probed([scenario for _, scenario in variants])
        ranked = [(self.known[key(scenario)].rank, index) for index, (_, scenario) in enumerate(variants)]
        first = min(ranked, default=None)
        return None if first is None or first[0] >= best.rank else variants[first[1]][0]

    def _prepared(self) -> list[Scenario]:
        """Those whose object is not empty: with another value it may be found there."""
        prepared = [scenario for scenario in self.build(MOST_SCENARIOS) if BEFOREHAND in scenario.setup]
        return prepared[:STRUCTURES]

    def _probed(self, scenarios: list[Scenario]) -> list[Candidate]:
        """The scenarios as candidates, the most promising first."""
        new = [s for s in scenarios if key(s) not in self.known and s.kind not in SEARCHES_ALONE]
        probes = self.ask(new) if new else ()
        for index, scenario in enumerate(new):
            self.known[key(scenario)] = Candidate(scenario, probes[index] if index < len(probes) else None)
        found = [self.known.get(key(scenario), Candidate(scenario)) for scenario in scenarios]
        return sorted(found, key=lambda candidate: (candidate.rank, len(candidate.scenario.operations) > 2))


def key(scenario: Scenario) -> tuple[object, ...]:
    """Equal for scenarios that do the same."""
    return (scenario.kind, scenario.before, scenario.setup, scenario.operations, scenario.invariant)


def likely_first(said: Sequence[str]) -> tuple[list[str], list[str]]:
    """The alternatives that the errors speak for, and the others."""
    wanted = {value for words, values in WANTED.items() if any(words in text for text in said) for value in values}
    return [value for value in ALTERNATIVES if value in wanted], [v for v in ALTERNATIVES if v not in wanted]


def other_guesses(
    guessed: list[str],
    options: Mapping[str, tuple[str, ...]],
    current: Choice,
    alternatives: tuple[list[str], list[str]] = ([], list(ALTERNATIVES)),
) -> Iterator[Choice]:
    """Assignments to guessed parameters and to options, one changed at a time, then all of the former alike."""
    made_up = [{name: expression} for values in alternatives for name in guessed for expression in values]
    known = [{name: expression} for name, others in list(options.items())[:MOST_OPTIONS] for expression in others]
    for changes in zip_longest(made_up, known):
        yield from ({**current, **change} for change in changes if change is not None)
    if len(guessed) > 1:
        for expression in ALTERNATIVES:
            yield {**current, **dict.fromkeys(guessed, expression)}
