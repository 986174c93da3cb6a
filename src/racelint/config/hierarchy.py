"""Which settings hold where: of several configuration files, the closest above a file says what is reported of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import msgspec

from racelint.config.load import Check, load_settings, settings_in
from racelint.config.settings import Contracts, Settings


class Scoped(msgspec.Struct, frozen=True):
    """Settings, and the folder that their patterns start from."""

    settings: Settings
    folder: str
    file: str | None = None


class Hierarchy:
    """The settings of a scan: `base` for the scan as a whole, and what holds for each folder.

    `adjust` puts the command line's own wishes on top of every file's settings.
    """

    def __init__(
        self,
        base: Scoped,
        *,
        nested: bool = False,
        adjust: Callable[[Settings], Settings] = lambda settings: settings,
        check: Check | None = None,
    ) -> None:
        self.base = msgspec.structs.replace(base, settings=adjust(base.settings))
        self._nested = nested
        self._adjust = adjust
        self._check = check
        self._known: dict[str, Scoped] = {}
        self._own: dict[str, Scoped | None] = {}

    def of(self, folder: str) -> Scoped:
        """What holds for the files of `folder` (absolute). Raises ConfigError for a file that cannot be used."""
        if not self._nested or folder == self.base.folder:
            return self.base
        if folder not in self._known:
            above = os.path.dirname(folder)
            self._known[folder] = self.standing_in(folder) or (self.base if above == folder else self.of(above))
        return self._known[folder]

    def standing_in(self, folder: str) -> Scoped | None:
        """The settings of a file in `folder` itself, where nested files count. Raises ConfigError."""
        if not self._nested:
            return None
        if folder not in self._own:
            found = settings_in(folder, self._check)
            self._own[folder] = Scoped(self._adjust(found[0]), folder, found[1]) if found else None
        return self._own[folder]

    def combined(self, folders: Iterable[str]) -> Settings:
        """The base settings with all that the user declared of the code in `folders`: names hold everywhere."""
        whole = self.base.settings
        for scoped in {id(found): found for found in map(self.of, folders)}.values():
            whole = _with_names_of(whole, scoped.settings)
        return whole


def load_hierarchy(
    start: str,
    config: str | None = None,
    *,
    isolated: bool = False,
    adjust: Callable[[Settings], Settings] = lambda settings: settings,
    check: Check | None = None,
) -> Hierarchy:
    """The hierarchy for a scan below `start` (an absolute folder). Raises ConfigError.

    `config` is the only file that counts then; `isolated` reads none.
    """
    settings, file = load_settings(start, config, isolated=isolated, check=check)
    folder = os.path.dirname(os.path.abspath(file)) if file is not None else start
    return Hierarchy(Scoped(settings, folder, file), nested=config is None and not isolated, adjust=adjust, check=check)


def _with_names_of(whole: Settings, part: Settings) -> Settings:
    def both(mine: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*mine, *theirs)))

    return msgspec.structs.replace(
        whole,
        extra_locks=both(whole.extra_locks, part.extra_locks),
        extra_thread_roots=both(whole.extra_thread_roots, part.extra_thread_roots),
        extra_blocking_calls=both(whole.extra_blocking_calls, part.extra_blocking_calls),
        contracts=Contracts(
            both(whole.contracts.thread_safe, part.contracts.thread_safe),
            both(whole.contracts.thread_confined, part.contracts.thread_confined),
        ),
    )
