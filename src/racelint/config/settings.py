"""The settings as plain data; every field is a key of `[tool.racelint]` in kebab case."""

from __future__ import annotations

import msgspec


class Contracts(msgspec.Struct, frozen=True, rename="kebab"):
    """What the user declares and inference cannot know.

    `thread_safe` names classes (`bank.Account`) whose public methods may run in parallel, functions that any threads
    may call at once (`bank.audit`) and modules of which both is true, so that they are checked although no thread is
    seen to reach them.
    """

    thread_safe: tuple[str, ...] = ()


class ConfirmSettings(msgspec.Struct, frozen=True, rename="kebab"):
    """How findings are proved: `python` is the interpreter that runs the code, `budget` seconds for each finding.

    `python` None means the active or the project's virtual environment, else the interpreter of racelint itself.
    """

    python: str | None = None
    budget: float = 10.0


class Settings(msgspec.Struct, frozen=True, rename="kebab"):
    """Everything that can be configured.

    `select`, `ignore` and `extend_select` hold codes or their prefixes (`RL1`), or `ALL`; the longest match wins.
    `exclude` holds patterns as in `.gitignore`, relative to the file they stand in, on top of the built-in ones.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    contracts: Contracts = Contracts()
    confirm: ConfirmSettings = ConfirmSettings()
