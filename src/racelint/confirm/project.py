"""Where a file stands in its project: the module name it is imported by, and the files its imports lead to."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from pathlib import Path
from threading import RLock

from racelint.confirm.outline import ClassOutline, FunctionOutline, ModuleOutline, read_outline

NAMESPACE_FILES = 200
"""Files of a package whose imports are read for the name it is imported by."""

PROJECT_FILES = 3000
"""Files of a project that are searched for calls; a larger one is searched in part."""

REACHED = 60
"""Files that the imports of one are followed to."""

MENTIONS = 6
"""Files that are parsed for the calls of one name."""

_IMPORTED = re.compile(r"^\s*(?:from|import)\s+([\w.]+)", re.MULTILINE)

BASE_DEPTH = 8
"""How many base classes up a method is looked for: deeper hierarchies are taken to end there."""


@dataclass(frozen=True)
class Layout:
    """How to import one file: its module name, and the folders that go in front of `sys.path`."""

    module: str
    sys_path: tuple[str, ...]


def layout_of(path: Path, root: Path) -> Layout:
    """The import name of `path`: dotted from the first folder up that is not a package.

    A file that uses relative imports in a folder without `__init__.py` lies in a namespace package, so as many
    folders are taken into the name as its deepest relative import climbs.
    """
    path = path.resolve()
    folder = path.parent
    parts = [] if path.name == "__init__.py" else [path.stem]
    climb = _relative_depth(path)
    while (folder / "__init__.py").is_file() or climb > 0:
        if folder == folder.parent or not folder.name.isidentifier():
            break
        parts.insert(0, folder.name)
        folder = folder.parent
        climb -= 1
    if parts and (folder / parts[0] / "__init__.py").is_file():
        above = _namespace(folder / parts[0])
        parts[:0] = above
        folder = folder.parents[len(above) - 1] if above else folder
    sys_path = [str(folder)]
    for extra in (root / "src", root):
        text = str(extra.resolve())
        if extra.is_dir() and text not in sys_path:
            sys_path.append(text)
    return Layout(".".join(parts) or folder.name, tuple(sys_path))


def _relative_depth(path: Path) -> int:
    """The most folders that a relative import of the file climbs; 0 where there is none or it cannot be read."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):
        return 0
    return max((node.level for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)), default=0)


@cache
def _namespace(package: Path) -> list[str]:
    """Names of the namespace packages (no `__init__.py`) that a package lies in, as the imports in it say.

    Files of `google/cloud/pubsub` that import `google.cloud.pubsub.types` tell that it lies in `google.cloud`.
    """
    for file in islice(sorted(package.rglob("*.py")), NAMESPACE_FILES):
        try:
            source = file.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        for name in _IMPORTED.findall(source):
            head, found, _ = f".{name}.".rpartition(f".{package.name}.")
            above = head.strip(".").split(".") if found and head else []
            if above and list(package.parts[-1 - len(above) : -1]) == above:
                return above
    return []


@dataclass
class Project:
    """The project's modules as they are needed, each parsed once."""

    root: Path
    guard: RLock = field(default_factory=RLock, repr=False, compare=False)
    """Held while a file is parsed: findings are judged on several threads, and each file has one outline."""
    modules: dict[Path, ModuleOutline | None] = field(default_factory=dict)
    layouts: dict[Path, Layout] = field(default_factory=dict)
    imports: dict[Path, list[Path]] = field(default_factory=dict)
    mentions: dict[str, list[ModuleOutline]] = field(default_factory=dict)
    contents: dict[Path, bytes] = field(default_factory=dict, repr=False)
    known_attributes: dict[ClassOutline, frozenset[str]] = field(default_factory=dict)
    lineages: dict[ClassOutline, list[tuple[ModuleOutline, ClassOutline]]] = field(default_factory=dict)

    def layout(self, path: Path) -> Layout:
        """How to import `path`, as `layout_of` says."""
        known = self.layouts.get(path)
        if known is None:
            known = self.layouts.setdefault(path, layout_of(path.resolve(), self.root))
        return known

    def module(self, path: Path) -> ModuleOutline:
        """The outline of one file. Raises as `read_outline`."""
        path = path.resolve()
        with self.guard:
            known = self.modules.get(path)
            if known is None:
                known = self.modules[path] = read_outline(path, self.layout(path).module)
        return known

    def resolve(self, outline: ModuleOutline, name: str) -> tuple[ModuleOutline, str] | None:
        """The module and the name in it that a dotted `name` of `outline` means, where it lies in the project."""
        return self._resolve(outline, name, depth=0)

    def find_class(self, outline: ModuleOutline, name: str) -> tuple[ModuleOutline, ClassOutline] | None:
        """The project class that `name` means in `outline`."""
        found = self.resolve(outline, name)
        if found is None or found[1] not in found[0].classes:
            return None
        return found[0], found[0].classes[found[1]]

    def lineage(self, outline: ModuleOutline, cls: ClassOutline) -> list[tuple[ModuleOutline, ClassOutline]]:
        """The class and its bases in the project, nearest first, breadth first."""
        if cls in self.lineages:
            return self.lineages[cls]
        order = [(outline, cls)]
        seen = {(outline.path, cls.qualname)}
        for module, current in order:
            for base in current.bases:
                found = self.find_class(module, base)
                if found and (found[0].path, found[1].qualname) not in seen and len(order) < BASE_DEPTH:
                    seen.add((found[0].path, found[1].qualname))
                    order.append(found)
        self.lineages[cls] = order
        return order

    def outer_bases(self, outline: ModuleOutline, cls: ClassOutline) -> list[str]:
        """Last names of the bases, at any depth, that the project does not define (`Thread`, `Enum`, `Protocol`)."""
        names: list[str] = []
        for module, current in self.lineage(outline, cls):
            names.extend(b.rpartition(".")[2] for b in current.bases if self.find_class(module, b) is None)
        return names

    def is_thread_class(self, outline: ModuleOutline, cls: ClassOutline) -> bool:
        """Whether its objects are threads, which are started with `start` and run `run` once."""
        return "Thread" in self.outer_bases(outline, cls)

    def find_method(self, outline: ModuleOutline, cls: ClassOutline, name: str) -> FunctionOutline | None:
        """The method that an instance answers to `name` with, inherited ones included."""
        for _, current in self.lineage(outline, cls):
            if name in current.methods:
                return current.methods[name]
        return None

    def methods(self, outline: ModuleOutline, cls: ClassOutline) -> dict[str, FunctionOutline]:
        """Every method of the class by name, inherited ones included, in the order of definition."""
        found: dict[str, FunctionOutline] = {}
        for _, current in self.lineage(outline, cls):
            for name, method in current.methods.items():
                found.setdefault(name, method)
        return found

    def named(self, module: str) -> ModuleOutline | None:
        """The project's module of this name, None where there is none."""
        for folder in (self.root / "src", self.root):
            found = self._load(_module_file(folder, module.split(".")))
            if found is not None:
                return found
        return None

    def mentioning(self, name: str) -> list[ModuleOutline]:
        """The project's modules that call `name`, in the order of their paths."""
        with self.guard:
            if name not in self.mentions:
                call = f"{name}(".encode()
                found = [path for path, content in self._contents().items() if call in content]
                self.mentions[name] = [module for path in found[:MENTIONS] if (module := self._load(path)) is not None]
            return self.mentions[name]

    def _contents(self) -> dict[Path, bytes]:
        """The project's files, `PROJECT_FILES` at most, read once."""
        if not self.contents:
            paths: list[Path] = []
            for folder, names, files in os.walk(self.root):
                names[:] = sorted(name for name in names if name.isidentifier() and not _is_environment(folder, name))
                paths += [Path(folder, file) for file in sorted(files) if file.endswith(".py")]
                if len(paths) > PROJECT_FILES:
                    break
            self.contents = {path: _bytes_of(path) for path in paths[:PROJECT_FILES]}
        return self.contents

    def imported(self, outline: ModuleOutline) -> list[Path]:
        """The project files that `outline` imports directly, sorted."""
        if outline.path not in self.imports:
            self.imports[outline.path] = self._imported(outline)
        return self.imports[outline.path]

    def reachable(self, outline: ModuleOutline) -> list[Path]:
        """The module's file and the project files it imports, at any distance, nearest first, `REACHED` at most."""
        order = [outline.path]
        for path in order:
            module = self._load(path)
            for imported in self.imported(module) if module is not None else ():
                if imported not in order and len(order) < REACHED:
                    order.append(imported)
        return order

    def attributes(self, outline: ModuleOutline, cls: ClassOutline) -> frozenset[str]:
        """Every attribute that objects of the class are seen to have: methods, class variables, `self.x = …`."""
        if cls not in self.known_attributes:
            found: set[str] = set()
            for _, current in self.lineage(outline, cls):
                found.update(current.methods)
                for node in ast.walk(current.node):
                    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                        found.add(node.attr)
                    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                        found.add(node.id)
            self.known_attributes[cls] = frozenset(found)
        return self.known_attributes[cls]

    def _imported(self, outline: ModuleOutline) -> list[Path]:
        found = set()
        for level, module, attribute in outline.imports.values():
            for name in (f"{module}.{attribute}".strip("."), module):
                path = self._locate(outline, level, name)
                if path is not None:
                    found.add(path)
                    break
        return sorted(found)

    def _resolve(self, outline: ModuleOutline, name: str, depth: int) -> tuple[ModuleOutline, str] | None:
        if depth > BASE_DEPTH or not name:
            return None
        if name in outline.classes or name in outline.functions or name in outline.constants:
            return outline, name
        head, _, rest = name.partition(".")
        if head not in outline.imports:
            return None
        level, module, attribute = outline.imports[head]
        if attribute:
            inside = self._load(self._locate(outline, level, module))
            submodule = self._load(self._locate(outline, level, f"{module}.{attribute}".strip(".")))
            if submodule is not None and rest:
                return self._resolve(submodule, rest, depth + 1)
            return self._resolve(inside, f"{attribute}.{rest}".strip("."), depth + 1) if inside else None
        return self._resolve_in_package(outline, module, rest, depth)

    def _resolve_in_package(
        self, outline: ModuleOutline, module: str, rest: str, depth: int
    ) -> tuple[ModuleOutline, str] | None:
        """`import a.b` then `a.b.C`: the longest prefix that is a file, then the rest inside it."""
        segments = rest.split(".") if rest else []
        for cut in range(len(segments) - 1, -1, -1):
            inside = self._load(self._locate(outline, 0, ".".join([module, *segments[:cut]])))
            if inside is not None:
                return self._resolve(inside, ".".join(segments[cut:]), depth + 1)
        return None

    def _load(self, path: Path | None) -> ModuleOutline | None:
        if path is None:
            return None
        with self.guard:
            if path not in self.modules:
                try:
                    self.modules[path] = read_outline(path, self.layout(path).module)
                except (OSError, SyntaxError, ValueError, RecursionError):
                    self.modules[path] = None
            return self.modules[path]

    def _locate(self, outline: ModuleOutline, level: int, module: str) -> Path | None:
        """The project file of a module name, from the importing file where the import is relative."""
        parts = [part for part in module.split(".") if part]
        if level:
            base = outline.path.parent
            for _ in range(level - 1):
                base = base.parent
            return _module_file(base, parts)
        layout = self.layout(outline.path)
        for folder in layout.sys_path:
            found = _module_file(Path(folder), parts) if parts else None
            if found is not None:
                # The name that an import gives it counts: a namespace package shows in no file of the module itself.
                self.layouts.setdefault(found, Layout(module, layout.sys_path))
                return found
        return None


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _is_environment(folder: str, name: str) -> bool:
    return name in ("node_modules", "site_packages", "build", "dist") or Path(folder, name, "pyvenv.cfg").is_file()


def _module_file(folder: Path, parts: list[str]) -> Path | None:
    base = folder.joinpath(*parts)
    if parts and base.with_name(f"{base.name}.py").is_file():
        return base.with_name(f"{base.name}.py").resolve()
    return (base / "__init__.py").resolve() if (base / "__init__.py").is_file() else None
