"""A lock made where there is none: beside the variable that it is to guard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import libcst as cst

from racelint.fixes.draft import Draft
from racelint.fixes.imports import imported, insert, is_docstring
from racelint.fixes.names import class_of, free_name, names_in_class
from racelint.fixes.places import stored_at
from racelint.fixes.slots import Slots, slots_of, with_name
from racelint.fixes.statements import statement
from racelint.model.summary import Span
from racelint.program import Program
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.families import descendants
from racelint.program.objects.locations import Location
from racelint.syntax.edits import Block, Rewriting, Statement, Tree

_COPYING = frozenset({"copy", "pickle", "multiprocessing", "joblib", "dill", "cloudpickle", "shelve", "dask", "ray"})
_COPIED_BY = frozenset(
    {"__getstate__", "__setstate__", "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__", "__getnewargs__"}
)


class Place(NamedTuple):
    """The block in which `target` is assigned, beside what first assigns the variable there."""

    target: str
    block: Block
    assigned: cst.CSTNode | None


class NewLock(NamedTuple):
    """`location` is the lock's, `places` of the file `display` are where it is assigned. `doubt`: why that may change
    what the program does. `slots`: what else must name it."""

    location: Location
    display: str
    places: tuple[Place, ...]
    doubt: str = ""
    slots: Slots | None = None

    @property
    def is_static(self) -> bool:
        """Whether it is an attribute of a class, which all instances share."""
        return self.location.kind == "attribute" and all("." not in place.target for place in self.places)


def new_lock(draft: Draft, beside: Location, static: bool) -> NewLock | None:
    """A lock for the variable `beside`, `static` where all instances share it; None where there is no place for it."""
    if beside.kind == "attribute":
        cls = class_of(draft.program, beside)
        return _in_class(draft, cls, beside, static) if cls is not None else None
    if beside.kind == "global":
        return _in_module(draft, beside)
    return _in_function(draft, beside)


def make_lock(rewriting: Rewriting, new: NewLock, module: str, name: str) -> None:
    """Write the lock, which `name` of `module` makes, and the import that it needs."""
    for target, block, assigned in new.places:
        factory = imported(rewriting, module, name, assigned or block)
        insert(rewriting, block, _place(rewriting.tree, block, assigned), statement(f"{target} = {factory}()"))
    if new.slots is not None:
        named = with_name(new.slots, new.location.fields[0])
        rewriting.replace(new.slots, lambda updated: named)


def _in_class(draft: Draft, cls: ClassInfo, beside: Location, static: bool) -> NewLock | None:
    display = cls.module.source.display
    tree = draft.tree(display)
    block = _block_of(tree, cls.ir.name_span)
    if block is None or cls.ir.metaclass:
        return None
    name = free_name(names_in_class(draft.program, cls), "_lock", f"_{beside.fields[0].strip('_')}_lock")
    location = Location("attribute", cls.id, (name,))
    slots = slots_of(block)
    constructors = () if static else _constructors(draft.program, cls)
    places = [_in_constructor(tree, draft, beside, function, name) for function in constructors]
    if not places or None in places or (cls.ir.slots and slots is None):
        assigned = _first_write(tree, draft, beside, lambda f: f.ir.kind == "class" and f.qualname == cls.ir.qualname)
        return NewLock(location, display, (Place(name, block, assigned),))
    doubt = "instances that have a lock can no longer be copied or pickled" if _is_copied(draft.program, cls) else ""
    return NewLock(location, display, tuple(place for place in places if place is not None), doubt, slots)


def _in_constructor(tree: Tree, draft: Draft, beside: Location, function: FunctionInfo, name: str) -> Place | None:
    body = _block_of(tree, function.ir.name_span)
    own = Location(beside.kind, function.cls.id if function.cls is not None else beside.owner, beside.fields)
    assigned = _first_write(tree, draft, own, lambda f: f is function)
    return Place(f"{function.self_name}.{name}", body, assigned) if body is not None else None


def _constructors(program: Program, cls: ClassInfo) -> tuple[FunctionInfo, ...]:
    """The `__init__` of the class and those of subclasses that call no other: one of them surely runs for every
    instance. Empty where that is not so, or not in one file, and a lock of the class must do."""
    if "__init__" not in cls.ir.methods:
        return ()
    found: list[FunctionInfo] = []
    for one in (cls, *descendants(cls)):
        qualname = one.ir.methods.get("__init__")
        function = one.module.functions[qualname] if qualname is not None else None
        if function is None or (one is not cls and _calls_constructor(program, function)):
            continue
        if one.module is not cls.module or not function.self_name:
            return ()
        found.append(function)
    return tuple(found)


def _calls_constructor(program: Program, function: FunctionInfo) -> bool:
    return any(site.callee.ir.name == "__init__" for site in program.calls.outgoing[function.id])


def _is_copied(program: Program, cls: ClassInfo) -> bool:
    """Whether the class is ready to be copied or pickled, or its module or one that imports that does such things."""
    if any(name in _COPIED_BY for related in (*cls.mro, *descendants(cls)) for name in related.ir.methods):
        return True
    for module in program.index.all_modules:
        imported = [
            (program.index.resolve_module(module, e.module, e.level), e.attribute) for e in module.summary.imports
        ]
        names = {name for dotted, attribute in imported for name in (dotted, f"{dotted}.{attribute}")}
        concerned = module is cls.module or cls.module.name in names
        if concerned and any(dotted.partition(".")[0] in _COPYING for dotted, _ in imported):
            return True
    return False


def _in_module(draft: Draft, beside: Location) -> NewLock | None:
    module = draft.program.index.modules.get(beside.owner)
    if module is None:
        return None
    tree = draft.tree(module.source.display)
    name = free_name(set(re.findall(r"\w+", tree.text)), "_lock", f"_{beside.fields[0].strip('_').lower()}_lock")
    assigned = _first_write(tree, draft, beside, lambda f: f.ir.kind == "module")
    if assigned is None:
        return None
    place = Place(name, tree.module, assigned)
    return NewLock(Location("global", beside.owner, (name,)), module.source.display, (place,))


def _in_function(draft: Draft, beside: Location) -> NewLock | None:
    function = next((f for f in draft.program.index.functions if f.id == beside.owner), None)
    if function is None:
        return None
    tree = draft.tree(function.module.source.display)
    block = _block_of(tree, function.ir.name_span)
    if block is None:
        return None
    name = free_name(
        set(re.findall(r"\w+", tree.spelled(tree.parent(block)))), "lock", f"{beside.fields[0].strip('_')}_lock"
    )
    assigned = _first_write(tree, draft, beside, lambda f: f is function)
    location = Location("captured", beside.owner, (name,))
    return NewLock(location, function.module.source.display, (Place(name, block, assigned),))


def _block_of(tree: Tree, name_span: Span) -> cst.IndentedBlock | None:
    """The block of the class or function whose name stands there; None for one on a single line."""
    name = tree.at(name_span, cst.Name)
    node = tree.parent(name) if name is not None else None
    if isinstance(node, (cst.ClassDef, cst.FunctionDef)) and isinstance(node.body, cst.IndentedBlock):
        return node.body
    return None


def _first_write(
    tree: Tree, draft: Draft, beside: Location, inside: Callable[[FunctionInfo], bool]
) -> cst.CSTNode | None:
    """What some function first stores in the variable."""
    spans = [e.access.span for e in stored_at(draft.program, beside) if e.access is not None and inside(e.function)]
    return tree.node_at(min(spans)) if spans else None


def _place(tree: Tree, block: Block, assigned: cst.CSTNode | None) -> int:
    """Behind the line that assigns the variable, before what does it deeper inside, else at the start.

    In a class, behind the attributes that stand together there: fields and `__slots__` are not torn apart.
    """
    if isinstance(tree.parent(block), cst.ClassDef):
        return _behind_attributes(tree, block, assigned)
    if assigned is not None:
        for node in (assigned, *tree.ancestors(assigned)):
            if isinstance(node, Statement) and tree.parent(node) is block:
                return tree.index(node) + (1 if isinstance(node, cst.SimpleStatementLine) else 0)
    return 1 if is_docstring(block.body[0], 0) else 0


def _behind_attributes(tree: Tree, block: Block, assigned: cst.CSTNode | None) -> int:
    lines = [isinstance(entry, cst.SimpleStatementLine) for entry in block.body]
    holders = {id(node) for node in (assigned, *tree.ancestors(assigned))} if assigned is not None else set()
    start = next((place for place, entry in enumerate(block.body) if id(entry) in holders), 0)
    return [*lines, False].index(False, start)
