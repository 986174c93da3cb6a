"""Arguments from calls of a function anywhere in the project, written so that they hold in the scenario's set-up."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from racelint.confirm.call_sites import CallSite, call_sites
from racelint.confirm.errors import CannotBuild
from racelint.confirm.outline import ModuleOutline, Parameter
from racelint.confirm.project import Project
from racelint.confirm.values import Guesses
from racelint.confirm.vocabulary import by_attributes


@dataclass
class Mine:
    """Looks for calls; `outline` is the module of the scenario, `refer` names what lies in another one."""

    project: Project
    outline: ModuleOutline
    guesses: Guesses
    refer: Callable[[ModuleOutline, str], str]

    @cached_property
    def reachable(self) -> set[Path]:
        """The files that the module imports, at any distance: importing them costs nothing more."""
        return set(self.project.reachable(self.outline))

    def call_site(
        self, module: ModuleOutline, name: str, parameters: tuple[Parameter, ...], *, constructor: bool = False
    ) -> CallSite | None:
        """The first call in the module, else in the project, whose arguments fit and can be written down here."""
        known = (str(module.path), name, constructor, tuple(parameter.name for parameter in parameters))
        if known not in self.guesses.sites:
            self.guesses.sites[known] = self._found_site(module, name, parameters, constructor=constructor)
        found = self.guesses.sites[known]
        return self._brought_here(*found) if found is not None else None

    def _found_site(
        self, module: ModuleOutline, name: str, parameters: tuple[Parameter, ...], *, constructor: bool
    ) -> tuple[ModuleOutline, CallSite] | None:
        needed = any(parameter.required for parameter in parameters)
        telling = needed and (constructor or by_attributes(frozenset([name])) is None)
        for other in (module, *(self.project.mentioning(name) if telling else ())):
            for site in call_sites(other, name, constructor=constructor):
                if _fits(parameters, site) and (site.arguments or site.keywords or not constructor):
                    with contextlib.suppress(CannotBuild):
                        self._brought_here(other, site)
                        return other, site
        return None

    def _brought_here(self, module: ModuleOutline, site: CallSite) -> CallSite:
        """The site with its names as the scenario sees them. Raises CannotBuild for one of another file's own."""
        if module.path == self.outline.path:
            return site
        keywords = tuple((name, self._local(module, text)) for name, text in site.keywords)
        return CallSite(tuple(self._local(module, text) for text in site.arguments), keywords, site.line)

    def _local(self, module: ModuleOutline, text: str) -> str:
        """Mined text says `target` for the module it stands in: name what it means from the scenario's module.

        Raises CannotBuild for what only that file knows, as a test does.
        """

        def renamed(match: re.Match[str]) -> str:
            parts = match[1].split(".")
            for cut in range(len(parts), 0, -1):
                found = self.project.resolve(module, ".".join(parts[:cut]))
                if found is not None and found[0].path in self.reachable:
                    return ".".join([self.refer(*found), *parts[cut:]])
            raise CannotBuild(f"`{match[1]}` is a name of {module.path.name}", "")

        return re.sub(r"\btarget\.([\w.]+)", renamed, text)


def _fits(parameters: tuple[Parameter, ...], site: CallSite) -> bool:
    """Whether the call's arguments bind to the parameters."""
    plain = [p for p in parameters if p.kind == "positional"]
    star = any(p.kind == "var-positional" for p in parameters)
    if len(site.arguments) > len(plain) and not star:
        return False
    named = {name for name, _ in site.keywords}
    given = {p.name for p in plain[: len(site.arguments)]} | named
    known = {p.name for p in parameters}
    if named - known and not any(p.kind == "var-keyword" for p in parameters):
        return False
    return all(p.name in given for p in parameters if p.required)
