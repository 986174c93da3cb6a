"""The settings as plain data; every field is a key of `[tool.racelint]` in kebab case.

What each key means stands on its field: `racelint config`, the JSON schema and the documentation are made from here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from racelint.model.finding import Confidence, Severity

TargetVersion = Literal[
    "3.8", "3.9", "3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t", "3.15", "3.15t"
]  # fmt: skip
Names = tuple[str, ...]


class Contracts(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """What the user declares of classes, and inference cannot know."""

    thread_safe: Annotated[
        Names,
        Meta(
            description="Classes whose public methods may run in parallel on one object, functions that threads may "
            "call at once, and modules of which both is true: checked although no thread is seen to reach them.",
            examples=[["bank.Account", "bank.audit"]],
        ),
    ] = ()
    thread_confined: Annotated[
        Names,
        Meta(
            description="Classes each of whose objects only one thread ever uses: their attributes are not reported.",
            examples=[["bank.Session"]],
        ),
    ] = ()


class ConfirmSettings(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """How findings are proved."""

    python: Annotated[
        str | None,
        Meta(
            description="Interpreter or environment that runs the code. Default: the active virtual environment, the "
            "project's, else the interpreter of racelint.",
            examples=[".venv/bin/python"],
        ),
    ] = None
    budget: Annotated[float, Meta(gt=0, description="Wall seconds for each finding or target.")] = 10.0
    total_budget: Annotated[float, Meta(gt=0, description="Wall seconds for all of them.")] = 300.0
    memory: Annotated[int, Meta(ge=64, description="MiB of address space for each run.")] = 2048
    bound: Annotated[int, Meta(ge=0, description="Preemptions to explore completely before the random tail.")] = 4
    seed: Annotated[int, Meta(description="Of the random schedules at the end of a search.")] = 0
    interpreters: Annotated[
        Literal["any", "gil"] | None,
        Meta(
            description="`gil` confirms only what CPython 3.10 or later can show with its GIL; `any` also what takes "
            "a free-threaded build or an older release. Default: `gil` where that is all that `target-version` names.",
            examples=["gil"],
        ),
    ] = None
    fixtures: Annotated[
        str | None,
        Meta(
            description="Python file whose make_<Name> functions build what racelint cannot; relative to this file.",
            examples=["tests/race_fixtures.py"],
        ),
    ] = None
    factories: Annotated[
        dict[str, str],
        Meta(
            description="Functions that build what racelint cannot, as `module:function` by the name of a class or "
            "parameter; they are imported where the code is run.",
            examples=[{"Client": "tests.factories:make_client"}],
        ),
    ] = {}


class Settings(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """Everything that can be configured. Where codes are asked for, a prefix (`RL1`) or `ALL` does, too."""

    extend: Annotated[
        str | None,
        Meta(
            description="Another configuration file, relative to this one, whose keys hold where this one is silent; "
            "`extend-select` and `extend-exclude` add up.",
            examples=["../racelint.toml"],
        ),
    ] = None
    select: Annotated[
        Names,
        Meta(
            description="Rules to run; the longest match wins over `ignore`. Default: those that are on by default.",
            examples=[["RL1", "RL301"]],
        ),
    ] = ()
    extend_select: Annotated[Names, Meta(description="Rules to run on top of these.", examples=[["RL211"]])] = ()
    ignore: Annotated[Names, Meta(description="Rules to leave out.", examples=[["RL211"]])] = ()
    per_file_ignores: Annotated[
        dict[str, Names],
        Meta(
            description="Rules to leave out in the files that a pattern as in .gitignore matches.",
            examples=[{"tests/": ["RL1"]}],
        ),
    ] = {}
    severities: Annotated[
        dict[str, Severity],
        Meta(
            description="Severity of rules, instead of their own; the longest match wins.", examples=[{"RL2": "error"}]
        ),
    ] = {}
    min_severity: Annotated[
        Severity | None,
        Meta(
            description="Leave less grave findings out. Default: warning in text, info for programs.",
            examples=["error"],
        ),
    ] = None
    min_confidence: Annotated[Confidence, Meta(description="Leave findings of less confidence out.")] = "low"
    fail_on: Annotated[
        Severity | None,
        Meta(
            description="Least severity that makes the exit code 1. Default: warning, or `min-severity` where that is "
            "error.",
            examples=["error"],
        ),
    ] = None
    exclude: Annotated[
        Names, Meta(description="Paths to leave out: patterns as in .gitignore.", examples=[["vendor/", "*_pb2.py"]])
    ] = ()
    extend_exclude: Annotated[Names, Meta(description="Paths to leave out on top of these.", examples=[["docs/"]])] = ()
    force_exclude: Annotated[
        bool, Meta(description="Leave excluded files out also where the command line names them.")
    ] = False
    respect_gitignore: Annotated[bool, Meta(description="Leave out what .gitignore files name.")] = True
    target_version: Annotated[
        TargetVersion | tuple[TargetVersion, ...],
        Meta(
            description="Pythons that the code runs on; a `t` at the end is a free-threaded build. What none of them "
            "can show is advice. Default: all.",
            examples=["3.13t", ["3.12", "3.14t"]],
        ),
    ] = ()
    baseline: Annotated[
        str | None,
        Meta(
            description="File of known findings, as `racelint baseline` writes it, relative to this file.",
            examples=["racelint-baseline.json"],
        ),
    ] = None
    extra_locks: Annotated[
        Names,
        Meta(
            description="Classes or factories whose objects are locks, used by `with` or `acquire` and `release`.",
            examples=[["mylib.sync.FileLock"]],
        ),
    ] = ()
    extra_thread_roots: Annotated[
        Names,
        Meta(
            description="Functions and methods that run on a thread of their own, several at once.",
            examples=[["app.handlers.on_message"]],
        ),
    ] = ()
    extra_blocking_calls: Annotated[
        Names,
        Meta(description="Functions that block, for rules about waiting under a lock.", examples=[["mylib.fetch"]]),
    ] = ()
    contracts: Annotated[Contracts, Meta(description="What you declare of classes.")] = Contracts()
    confirm: Annotated[ConfirmSettings, Meta(description="How findings are proved.")] = ConfirmSettings()

    @property
    def declared_names(self) -> Names:
        """Everything in the scanned code that the settings name and that makes its file worth an analysis."""
        return (*self.contracts.thread_safe, *self.extra_locks, *self.extra_thread_roots)

    @property
    def targets(self) -> tuple[str, ...]:
        """The target versions as a tuple, however they were written; empty for all."""
        return (self.target_version,) if isinstance(self.target_version, str) else self.target_version

    @property
    def only_gil(self) -> bool:
        """Whether every target has a GIL and switches threads at calls and jumps alone, as CPython 3.10 and later."""
        return bool(self.targets) and not any(v.endswith("t") or v in ("3.8", "3.9") for v in self.targets)

    @property
    def proving(self) -> ConfirmSettings:
        """How findings are proved: where every target has a GIL, only what one can show counts."""
        if self.confirm.interpreters is None and self.only_gil:
            return msgspec.structs.replace(self.confirm, interpreters="gil")
        return self.confirm

    @property
    def only_free_threaded(self) -> bool:
        """Whether every target is a free-threaded build."""
        return bool(self.targets) and all(version.endswith("t") for version in self.targets)
