"""A program whose files are changed in memory: what a fix is made from, and what it is tried on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property

from racelint.config.settings import Settings
from racelint.model.finding import Finding
from racelint.model.source import SourceFile
from racelint.model.summary import ModuleSummary
from racelint.program import Program, link, unlink
from racelint.program.linked.foreign_callbacks import foreign_calls
from racelint.program.objects.locations import Location
from racelint.rules.registry import all_rules
from racelint.summarize import summarize_source
from racelint.syntax.edits import Tree
from racelint.syntax.source import encoding_of

Key = tuple[str, str, str, str]


class Draft:
    """The files of a scan as they stand, with the program they make up and all that the rules say of it.

    `sources` holds the bytes of every file that has a summary, by the path shown. All rules are asked, not only those
    that the user selected: a fix may not trade one defect for another.
    """

    def __init__(
        self,
        summaries: Sequence[tuple[SourceFile, ModuleSummary]],
        sources: Mapping[str, bytes],
        settings: Settings,
    ) -> None:
        self.sources = sources
        self.settings = settings
        self._known = summaries
        self._fresh: frozenset[str] = frozenset()
        """The files that are not what their known summaries say, by the path shown."""
        self._trees: dict[str, Tree] = {}
        self._said: dict[str, list[Finding]] = {}
        self._changed: dict[frozenset[tuple[str, str]], Draft] = {}

    @cached_property
    def summaries(self) -> Sequence[tuple[SourceFile, ModuleSummary]]:
        """Of every file; those of changed files are made anew after a rest."""
        made = {display: summarize_source(self.sources[display], display) for display in self._fresh}
        return [(source, made.get(source.display, known)) for source, known in self._known]

    @cached_property
    def program(self) -> Program:
        return link(self.summaries, self.settings)

    def said_by(self, code: str) -> list[Finding]:
        """What one rule says."""
        if code not in self._said:
            rule = next(rule for rule in all_rules() if rule.code == code)
            self._said[code] = list(rule.check(self.program))
        return self._said[code]

    @cached_property
    def findings(self) -> list[Finding]:
        """What every rule says, by file and line."""
        found = [finding for rule in all_rules() for finding in self.said_by(rule.code)]
        return sorted(found, key=lambda finding: (finding.path, finding.line, finding.column, finding.code))

    def count(self, key: Key) -> int:
        """How many findings there are of one kind; only its rule is asked."""
        return sum(key_of(finding) == key for finding in self.said_by(key[0]))

    @cached_property
    def counts(self) -> Counter[Key]:
        """How many findings there are of each kind."""
        return Counter(key_of(finding) for finding in self.findings)

    @cached_property
    def telling(self) -> Counter[Key]:
        """The same without advice: a lock or a wait that a fix makes may bring such about what stands beside it."""
        return Counter(key_of(finding) for finding in self.findings if finding.severity != "info")

    @cached_property
    def locks_around_callbacks(self) -> frozenset[Location]:
        """Locks that are held while a function runs that was handed in: nothing else is to be put under them."""
        return frozenset(found.held.lock.location for found in foreign_calls(self.program))

    def tree(self, display: str) -> Tree:
        """The syntax tree of a file. Raises UnreadableSource."""
        if display not in self._trees:
            self._trees[display] = Tree(self.sources[display])
        return self._trees[display]

    def encoded(self, display: str, text: str) -> bytes:
        """A new text of a file in the file's own encoding, with its byte-order mark. Raises UnicodeEncodeError."""
        return text.encode(encoding_of(self.sources[display]))

    def changed(self, texts: Mapping[str, str]) -> Draft:
        """The draft with new texts of some files, always the same one. Raises UnreadableSource, UnicodeEncodeError."""
        texts_given = frozenset(texts.items())
        if texts_given not in self._changed:
            self._changed[texts_given] = self._with(texts)
        return self._changed[texts_given]

    def _with(self, texts: Mapping[str, str]) -> Draft:
        fresh = {display: self.encoded(display, text) for display, text in texts.items()}
        made = {display: summarize_source(source, display) for display, source in fresh.items()}
        after = Draft(self._known, {**self.sources, **fresh}, self.settings)
        after._fresh = self._fresh | fresh.keys()
        after.summaries = [(source, made.get(source.display, known)) for source, known in self.summaries]
        after._trees = {display: tree for display, tree in self._trees.items() if display not in fresh}
        return after

    def rest(self) -> None:
        """Free the linked program, summaries and trees until they are asked for again; what was said is kept.

        Nothing that still uses the program may be gone on with.
        """
        program = vars(self).pop("program", None)
        if program is not None:
            unlink(program)
        vars(self).pop("summaries", None)
        self._trees.clear()

    def changed_since(self, before: Draft) -> list[str]:
        """The files whose text is not what it was in an earlier draft, by the path shown."""
        return [display for display, text in self.sources.items() if text != before.sources[display]]


def key_of(finding: Finding) -> Key:
    """What stays of a finding when lines move: the rule, the file, the function and the thing that is spoken of."""
    return finding.code, finding.path, finding.symbol, finding.subject
