"""When a finding counts for a bug of RaceBench, as benchmarks/racebench/README.md says."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools import Hit

SPEAKS_OF: dict[str, frozenset[str]] = {
    category: frozenset(codes.split())
    for category, codes in {
        "unlocked-write": "RL101 RL102 RL103 RL107 RL108 RL109 RL605",
        "inconsistent-guard": "RL101 RL102 RL103 RL106 RL107 RL110",
        "check-then-act": "RL101 RL102 RL104 RL105 RL107 RL308 RL702",
        "lazy-init": "RL102 RL104 RL105 RL109",
        "unsafe-iteration": "RL102 RL106 RL110 RL111",
        "lock-leak": "RL201 RL202 RL208 RL209 RL212 RL307",
        "wait-not-in-loop": "RL301 RL302 RL304 RL305 RL308 RL309",
        "lock-order": "RL203 RL204 RL303",
        "self-deadlock": "RL203 RL204 RL210 RL213 RL606",
        "wrong-lock": "RL102 RL103 RL206 RL207",
        "per-call-lock": "RL206 RL207 RL103",
        "blocking-under-lock": "RL204 RL205 RL213 RL303",
        "mp-misuse": "RL601 RL602 RL603 RL604 RL605 RL606 RL607 RL608",
        "thread-lifecycle": "RL101 RL104 RL109 RL308 RL501 RL502 RL503 RL504 RL505 RL506 RL507 RL508 RL509",
        "asyncio-atomicity": "RL104 RL105 RL701 RL702 RL703 RL704 RL705",
    }.items()
}
"""Which rules speak of a bug's category; every rule speaks of `other`."""

NEAR = 2
"""Lines that a finding may stand beside the bug."""


@dataclass(frozen=True)
class Bug:
    """One entry of the manifest."""

    id: str
    package: str
    buggy: str
    fixed: str
    file: str
    lines: tuple[int, int]
    qualname: str
    shared: tuple[str, ...]
    category: str
    evidence: str
    artefacts: tuple[str, ...]

    @classmethod
    def from_entry(cls, entry: dict[str, Any]) -> Bug:
        first, last = entry["buggy_lines"]
        return cls(
            id=entry["id"],
            package=entry["package"],
            buggy=entry["buggy"],
            fixed=entry["fixed"],
            file=entry["file"],
            lines=(first, last),
            qualname=entry["qualname"],
            shared=attribute_names(entry["shared"]),
            category=entry["category"],
            evidence=entry["evidence"],
            artefacts=tuple(entry.get("artefacts", ())),
        )

    @property
    def contract(self) -> tuple[str, ...]:
        """What its author would declare thread-safe: the function, and the class or function that it stands in."""
        module = self.file.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        dotted = f"{module}.{self.qualname.replace('.<locals>', '')}"
        return (dotted, dotted.rpartition(".")[0])

    def artefact(self, version: str) -> str:
        """The verified archive of `version`, empty where the manifest names none."""
        pattern = re.compile(rf"^{re.escape(self.package)}-{re.escape(version)}(-|\.tar|\.zip)".replace("_", "[-_]"))
        return next((a for a in self.artefacts if pattern.match(a.replace("_", "-")) or pattern.match(a)), "")


def attribute_names(shared: str) -> tuple[str, ...]:
    """The last names of the shared paths: `self._broken / cls._queue (closure)` gives `_broken` and `_queue`."""
    without_remarks = re.sub(r"\([^)]*\)|\[[^]]*\]", "", shared)
    names = []
    for path in re.split(r"[,/]", without_remarks):
        words = re.findall(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", path)
        if words:
            names.append(words[-1].rpartition(".")[2])
    return tuple(dict.fromkeys(name for name in names if name not in {"self", "cls"}))


def names_shared(hit: Hit, bug: Bug) -> bool:
    """Whether the finding names an attribute that is raced on, as a whole word."""
    text = f"{hit.subject} {hit.message}"
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in bug.shared)


def in_function(hit: Hit, bug: Bug) -> bool:
    """Whether the finding's symbol is the bug's function (`package.module.Class.method` ends in `Class.method`)."""
    symbol = hit.symbol.replace(".<locals>", "")
    return symbol == bug.qualname or symbol.endswith("." + bug.qualname)


def speaks_of(hit: Hit, bug: Bug) -> bool:
    return bug.category not in SPEAKS_OF or hit.code in SPEAKS_OF[bug.category]


def matches(hit: Hit, bug: Bug) -> bool:
    """Whether a finding of ours in the buggy version finds the bug; its path has been compared already."""
    near = bug.lines[0] - NEAR <= hit.line <= bug.lines[1] + NEAR
    return speaks_of(hit, bug) and (near or (in_function(hit, bug) and names_shared(hit, bug)))


def still_there(hit: Hit, found: list[Hit], bug: Bug) -> bool:
    """Whether a finding in the fixed version repeats one of `found`: same rule and function, naming the attribute."""
    return in_function(hit, bug) and names_shared(hit, bug) and any(hit.code == old.code for old in found)


def function_lines(source: Path, qualname: str) -> tuple[int, int] | None:
    """First and last line of a function, None where the file has none such or is not Python 3."""
    try:
        body: ast.AST = ast.parse(source.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return None
    node: Any = None
    for name in qualname.split("."):
        inner = [
            child
            for child in ast.walk(body)
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and child.name == name
        ]
        if not inner:
            return None
        body = node = inner[0]
    return (node.lineno, node.end_lineno)
