"""Import hook: the instrumented files are compiled once and executed afresh for every execution."""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH119, PTH120, PTH208
import contextlib
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any

from .identity import Identities
from .instrument import OPERATORS, instrument
from .module_state import CannotRestore, ModuleState, TooMuch
from .sites import SiteTable


class InstrumentingFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of the instrumented files and executes their instrumented code.

    `helpers` are the functions behind the marks (`points.py`); `use` changes them in every live module.
    """

    def __init__(self, paths: Sequence[str], roots: Sequence[str]) -> None:
        self.table = SiteTable()
        self.paths = [os.path.realpath(path) for path in paths]
        self.roots = [os.path.realpath(root) for root in roots]
        self.helpers: dict[str, Any] = {}
        self.traced = False
        self.stalls = ""
        """Calls of the first file that never return, `function:callee`."""
        self._codes: dict[tuple[str, bool], Any] = {}
        self._specs: dict[str, importlib.machinery.ModuleSpec] = {}
        self.live: list[types.ModuleType] = []
        self.on_compiled: Callable[[], None] = lambda: None
        self._project: dict[str, None] = {}
        self._known_size = 0
        self._state: ModuleState | None = None
        self.always_fresh = self.pinned = False
        self.leaks: set[str] = set()
        """Types of objects whose state one execution hands on to the next: see `module_state`."""
        self._kept_size = 0
        self._kept_traced = False
        self._real: dict[str, str] = {}
        self._gate = ""
        """The module to import before the first file's, empty for none."""
        self.identities = Identities()

    def compile(self, path: str, traced: bool = False) -> Any:
        """The instrumented code of `path`. Raises SyntaxError, OSError."""
        code = self._codes.get((path, traced))
        if code is None:
            with open(path, "rb") as file:
                source = file.read()
            # A second table throws the traced copy's sites away: they are the same ones.
            if traced:
                self.compile(path)
            table = self.table if not traced else shadow(self.table)
            code = instrument(
                source, path, self._file_name(path), table, traced, self.stalls if path == self.paths[0] else ""
            )
            self._codes[path, traced] = code
            if not traced:
                self.on_compiled()
        return code

    def compile_all(self) -> None:
        """Compile every file first, so that the table of sites is whole. A file that cannot be read is left alone."""
        for path in list(self.paths):
            try:
                self.compile(path)
            except (OSError, SyntaxError, ValueError):
                if path == self.paths[0]:
                    raise
                self.paths.remove(path)

    def _file_name(self, path: str) -> str:
        inside = [os.path.relpath(path, root) for root in self.roots if path.startswith(root + os.sep)]
        return min(inside, key=len).replace(os.sep, "/") if inside else os.path.basename(path)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> importlib.machinery.ModuleSpec | None:
        known = self._specs.get(fullname)
        if known is not None:
            return importlib.util.spec_from_file_location(
                fullname,
                known.origin,
                loader=self,
                submodule_search_locations=known.submodule_search_locations,
            )
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or not spec.origin or os.path.realpath(spec.origin) not in self.paths:
            return None
        spec.origin = os.path.realpath(spec.origin)
        return self._adopt(fullname, spec)

    def _adopt(self, fullname: str, spec: importlib.machinery.ModuleSpec) -> importlib.machinery.ModuleSpec:
        spec.loader = self
        self._specs[fullname] = spec
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        assert module.__spec__ is not None and module.__spec__.origin is not None
        path = module.__spec__.origin
        try:
            code = self.compile(path, self.traced)
        except RecursionError:
            # Too deep to instrument is not too deep to run.
            self.paths.remove(path)
            with open(path, "rb") as file:
                code = compile(file.read(), path, "exec", dont_inherit=True)
        self.bind(module)
        exec(code, module.__dict__)
        self.identities.adopt(module.__dict__, module.__name__)

    def bind(self, module: types.ModuleType) -> None:
        module.__dict__["__builtins__"] = self.identities.builtins
        module.__dict__.update(OPERATORS)
        module.__dict__.update(self.helpers)
        self.live.append(module)

    def use(self, helpers: dict[str, Any]) -> None:
        """Give every live module these helpers, and those to come."""
        self.helpers = helpers
        for module in self.live:
            module.__dict__.update(helpers)

    def load(self, name: str, path: str) -> types.ModuleType:
        """Import module `name`; one that cannot be found by name is loaded from `path`."""
        real = self._realpath(path)
        try:
            module = self._imported(name, real)
            if self._realpath(getattr(module, "__file__", None) or "") == real:
                return module
        except ModuleNotFoundError as error:
            if error.name is not None and error.name not in (name, name.partition(".")[0]):
                raise
        spec = importlib.util.spec_from_file_location(name, real, loader=self)
        assert spec is not None
        self._adopt(name, spec)
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        self.exec_module(module)
        return module

    def _imported(self, name: str, path: str) -> types.ModuleType:
        """The module, by way of another of its package where modules that import each other want one to be first."""
        if self._gate:
            importlib.import_module(self._gate)
        try:
            return importlib.import_module(name)
        except (ImportError, AttributeError) as error:
            if "partially initialized" not in str(error):
                raise
            for gate in _siblings(name, path):
                self.forget()
                with contextlib.suppress(Exception):
                    importlib.import_module(gate)
                    self._gate = gate
                    return importlib.import_module(name)
            raise

    def _realpath(self, path: str) -> str:
        real = self._real.get(path)
        if real is None:
            real = self._real[path] = os.path.realpath(path)
        return real

    def run_script(self, path: str) -> dict[str, Any]:
        """Execute the file as `__main__`; returns its names."""
        module = types.ModuleType("__main__")
        real = os.path.realpath(path)
        module.__file__ = real
        code = self.compile(real, self.traced)
        self.bind(module)
        sys.modules["__main__"] = module
        sys.argv[0] = path
        exec(code, module.__dict__)
        return module.__dict__

    def keep(self) -> bool:
        """Record the project's modules as they are after their import; False if they must be executed every time."""
        if self.always_fresh:
            return False
        self._find_project()
        for name in self._project:
            # What a set-up or a function imports later belongs to the record, too; what is optional may be missing.
            with contextlib.suppress(Exception):
                importlib.import_module(name)
        modules = [sys.modules[name] for name in self._project if name in sys.modules]
        modules += [module for module in self.live if module not in modules]
        try:
            self._state = ModuleState(modules)
        except TooMuch:
            try:
                self._state = ModuleState(self.live)
            except CannotRestore:
                return False
            self.leaks.add("modules without yield points")
        except CannotRestore:
            return False
        self.leaks |= self._state.leaks
        self._kept_size = len(sys.modules)
        self._kept_traced = self.traced
        self.identities.keep()
        return True

    def reset(self) -> bool:
        """Make the project's modules what they were after their import; False if they are to be imported again.

        Where they are `pinned` they stay as they are at worst.
        """
        self.identities.reset()
        state = self._state
        if self.pinned:
            if state is not None:
                state.restore()
            return True
        if state is None or self.traced is not self._kept_traced or len(sys.modules) != self._kept_size:
            self._state = None
            self.forget()
            return False
        state.restore()
        return True

    def forget(self) -> None:
        """Drop the project's modules, so that the next import executes them afresh."""
        self.live.clear()
        self._find_project()
        for name in self._project:
            sys.modules.pop(name, None)

    def _find_project(self) -> None:
        modules = sys.modules
        if len(modules) != self._known_size:
            # Something new was imported since: look which of all the modules are the project's.
            for name, module in list(modules.items()):
                # Not the attribute itself: lazy modules would import what they stand for.
                file = getattr(module, "__dict__", {}).get("__file__")
                ours = name == "__main__" or name.partition(".")[0] == __package__
                if file and not ours and (name in self._specs or self._is_project(file)):
                    self._project[name] = None
            self._known_size = len(modules)

    def _is_project(self, file: str) -> bool:
        if "site-packages" in file or file.endswith((".so", ".pyd")):
            return False
        return any(file.startswith(root + os.sep) for root in self.roots)


def _siblings(name: str, path: str) -> list[str]:
    """The other modules of the package that module `name` at `path` lies in, sorted."""
    package = name.rpartition(".")[0]
    if not package:
        return []
    stems = sorted(file[:-3] for file in os.listdir(os.path.dirname(path)) if file.endswith(".py"))
    found = [f"{package}.{stem}" for stem in stems if stem.isidentifier() and not stem.startswith("__")]
    return [other for other in found if other != name]


def shadow(table: SiteTable) -> SiteTable:
    """A table that gives the numbers of `table` to the same sites again."""
    shadow = SiteTable()

    def add(file: str, scope: str, kind: str, path: str, position: tuple[int, int, int], what: str, text: str) -> int:
        function = f"{file}:{scope}"
        ordinal = shadow._ordinals.get(function, 0) + 1
        shadow._ordinals[function] = ordinal
        return table.by_name[f"{function}:{ordinal}"].number

    shadow.add = add  # type: ignore[method-assign]
    return shadow
