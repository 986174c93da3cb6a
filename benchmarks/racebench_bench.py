"""How many of RaceBench's bugs are found, and how many of those findings go away with the fix.

Downloads the releases on first use. Each tree is scanned once by each tool; answers are kept until our sources change.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from packages import HERE, line_count, thousands, top_level, tree
from scoring import Bug, function_lines, matches, names_shared, still_there
from tools import Answer, Hit, Racelint, Threadcheck, ThreadSafety, Tool

Outcome = str
"""`cleared`, `found` (and not cleared), or `missed`."""


@dataclass(frozen=True)
class Trees:
    """Both versions of a bug's package: the file with the bug, and the part that is scanned."""

    buggy: Path
    buggy_part: Path
    fixed: Path | None
    fixed_part: Path

    def narrowed(self) -> Trees:
        """The same with the bug's file alone as what is scanned (and, by racelint, what it imports)."""
        return replace(self, buggy_part=self.buggy, fixed_part=self.fixed or self.fixed_part)

    def answers(self, bug: Bug, tool: Tool) -> tuple[Answer, Answer]:
        """What the tool says of both versions; in paths as the manifest writes them."""
        buggy = tool.scan(self.buggy_part, base_of(self.buggy_part, bug))
        if self.fixed is None:
            return buggy, Answer((), 0.0)
        return buggy, tool.scan(self.fixed_part, base_of(self.fixed_part, bug))


def base_of(part: Path, bug: Bug) -> Path:
    """The folder that the bug's file path starts in."""
    depth = len(Path(bug.file).parts) if part.is_file() else 1
    return part.parents[depth - 1]


def fetched(bug: Bug) -> Trees | str:
    """Both trees, or why they cannot be had."""
    try:
        buggy = tree(bug.package, bug.buggy, bug.artefact(bug.buggy))
        fixed = tree(bug.package, bug.fixed, bug.artefact(bug.fixed))
        buggy_part = top_level(buggy, bug.file)
    except (RuntimeError, subprocess.CalledProcessError, FileNotFoundError) as error:
        return str(error).splitlines()[0]
    try:
        fixed_part = top_level(fixed, bug.file)
    except FileNotFoundError:  # the fix moved the file: nothing of it can be flagged there
        fixed_part = fixed / buggy_part.name
        if not fixed_part.exists():
            return f"{fixed.name} has no {buggy_part.name}"
    file = fixed_part.parent / bug.file
    return Trees(buggy_part.parent / bug.file, buggy_part, file if file.is_file() else None, fixed_part)


def fetch_releases(bugs: Sequence[Bug]) -> None:
    """Download what is not there yet, several at a time; `fetched` says what cannot be had."""
    releases = {(bug.package, version): bug.artefact(version) for bug in bugs for version in (bug.buggy, bug.fixed)}

    def get(release: tuple[str, str]) -> None:
        with suppress(RuntimeError, subprocess.CalledProcessError):
            tree(*release, releases[release])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(get, releases))


def of_file(answer: Answer, bug: Bug, tool: Tool) -> list[Hit]:
    """The grave findings in the bug's file."""
    return [hit for hit in answer.hits if hit.path == bug.file and hit.severity in tool.grave]


def ours(bug: Bug, trees: Trees, tool: Tool) -> tuple[Outcome, list[Hit]]:
    """The outcome for racelint and the findings that found the bug."""
    before, after = trees.answers(bug, tool)
    found = [hit for hit in of_file(before, bug, tool) if matches(hit, bug)]
    if not found:
        return "missed", []
    left = any(still_there(hit, found, bug) for hit in of_file(after, bug, tool))
    return ("found" if left else "cleared"), found


def theirs(bug: Bug, trees: Trees, tool: Tool) -> tuple[Outcome, list[Hit]]:
    """The outcome for a peer, which says neither function nor category: any finding on the lines counts for it.

    Cleared: no finding of the same kind that names the attribute in the same function of the fixed version.
    """
    near = range(bug.lines[0] - 2, bug.lines[1] + 3)
    before, after = trees.answers(bug, tool)
    found = [hit for hit in of_file(before, bug, tool) if hit.line in near]
    if not found:
        return "missed", []
    span = function_lines(trees.fixed, bug.qualname) if trees.fixed else None
    if span is None:
        return "cleared", found
    kinds = {hit.code for hit in found}
    inside = [hit for hit in of_file(after, bug, tool) if span[0] <= hit.line <= span[1]]
    left = any(hit.code in kinds and names_shared(hit, bug) for hit in inside)
    return ("found" if left else "cleared"), found


def table(bugs: Sequence[Bug], outcomes: dict[str, Outcome], key: Callable[[Bug], str], title: str) -> None:
    """Found and cleared for each value of `key`."""
    print(f"\n{title:24} {'bugs':>5} {'found':>6} {'cleared':>8}")
    rows = Counter(key(bug) for bug in bugs)
    for name, count in sorted(rows.items()):
        here = [outcomes[bug.id] for bug in bugs if key(bug) == name]
        print(f"{name:24} {count:5} {count - here.count('missed'):6} {here.count('cleared'):8}")
    every = list(outcomes.values())
    print(f"{'all':24} {len(bugs):5} {len(every) - every.count('missed'):6} {every.count('cleared'):8}")


def density(tool: Tool, answers: Mapping[Path, Answer]) -> str:
    """Grave findings for each thousand lines over all scanned trees, and what could not be scanned."""
    lines = hits = 0
    seconds = 0.0
    rules: Counter[str] = Counter()
    failures = []
    for part, answer in answers.items():
        counted = [hit for hit in answer.hits if hit.severity in tool.grave and hit.code != "RL900"]
        lines += line_count(part)
        hits += len(counted)
        seconds += answer.seconds
        rules.update(hit.code for hit in counted)
        if answer.failure:
            failures.append(f"  {part.parent.name}: {answer.failure.splitlines()[-1][:200]}")
    text = (
        f"{tool.name}: {hits} findings on {lines:,} lines, {hits / thousands(lines):.2f} per 1,000; {seconds:.0f} CPU s"
    )
    by_rule = "  " + ", ".join(f"{code} {n / thousands(lines):.3f}" for code, n in rules.most_common(25))
    return "\n".join([text, by_rule, *(["could not scan:", *failures] if failures else [])])


def report(tool: Tool, judge: Callable[..., tuple[Outcome, list[Hit]]], known: dict[Bug, Trees], verbose: bool) -> None:
    """Score one tool and print its tables."""
    print(f"\n=== {tool.name} {tool.version()}")
    parts = {part: base_of(part, bug) for bug, trees in known.items() for part in (trees.buggy_part, trees.fixed_part)}
    answers: dict[Path, Answer] = {}
    with ThreadPoolExecutor(2) as pool:
        for part, answer in zip(parts, pool.map(tool.scan, parts, parts.values()), strict=True):
            answers[part] = answer
            if sys.stderr.isatty() or answer.seconds > 60:
                print(f"  {len(answers)}/{len(parts)} {part.parent.name} {answer.seconds:.0f} s", file=sys.stderr)
    bugs = list(known)
    judged = {bug: judge(bug, known[bug], tool) for bug in bugs}
    outcomes = {bug.id: judged[bug][0] for bug in bugs}
    if verbose:
        for bug in bugs:
            print(line(bug, *judged[bug]))
    table(bugs, outcomes, lambda bug: bug.category, "category")
    table(bugs, outcomes, lambda bug: bug.evidence, "evidence")
    print(density(tool, answers))


def report_declared(known: dict[Bug, Trees], verbose: bool) -> None:
    """Score racelint again on the bugs that only a contract makes bugs, with each one's contract declared."""
    bugs = [bug for bug in known if bug.evidence == "contract-only"]
    if not bugs:
        return
    print("\n=== racelint, with the contract declared")
    with ThreadPoolExecutor(2) as pool:
        judged = list(pool.map(lambda bug: ours(bug, known[bug], Racelint(bug.contract)), bugs))
    for bug, (outcome, hits) in zip(bugs, judged, strict=True) if verbose else ():
        print(line(bug, outcome, hits))
    outcomes = {bug.id: outcome for bug, (outcome, _) in zip(bugs, judged, strict=True)}
    table(bugs, outcomes, lambda bug: bug.category, "category")


def line(bug: Bug, outcome: Outcome, hits: Sequence[Hit]) -> str:
    """What became of one bug."""
    seen = "; ".join(sorted({f"{hit.code}@{hit.line}" for hit in hits}))
    return f"{outcome:8} {bug.id:44} {bug.category:20} {bug.file}:{bug.lines[0]}-{bug.lines[1]} {seen}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="ID", help="score this bug alone (repeatable)")
    parser.add_argument("--category", help="score the bugs of this category")
    parser.add_argument("--no-peers", action="store_true", help="leave out threadcheck and thread-safety")
    parser.add_argument("--file", action="store_true", help="scan the bug's file alone: quick, and nearly the same")
    parser.add_argument("--verbose", action="store_true", help="a line for each bug")
    unseen = parser.add_mutually_exclusive_group()
    for stem in ("unseen", "unseen_second", "unseen_third"):
        flag, name = "--" + stem.replace("_", "-"), f"{stem}.json"
        unseen.add_argument(flag, dest="manifest", action="store_const", const=name, help=f"score {name} instead")
    parser.set_defaults(manifest="manifest.json")
    options = parser.parse_args()
    manifest = json.loads((HERE / "racebench" / options.manifest).read_text())
    bugs = [Bug.from_entry(entry) for entry in manifest]
    bugs = [bug for bug in bugs if not options.only or bug.id in options.only]
    bugs = [bug for bug in bugs if not options.category or bug.category == options.category]
    if not bugs:
        parser.error("no such bug")
    known: dict[Bug, Trees] = {}
    fetch_releases(bugs)
    for bug in bugs:
        trees = fetched(bug)
        if isinstance(trees, str):
            print(f"not to be had, left out: {bug.id}: {trees}")
        else:
            known[bug] = trees.narrowed() if options.file else trees
    report(Racelint(), ours, known, options.verbose or bool(options.only))
    report_declared(known, options.verbose or bool(options.only))
    if not options.no_peers:
        for peer in (Threadcheck(), ThreadSafety()):
            report(peer, theirs, known, options.verbose)


if __name__ == "__main__":
    main()
