"""A lock made where there is none: beside the variable that it is to guard."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import libcst as cst

from racelint.fixes.draft import Draft
from racelint.fixes.first_calls import first_call_to
from racelint.fixes.imports import imported, insert, is_docstring
from racelint.fixes.names import class_of, free_name, names_in_class
from racelint.fixes.open_classes import class_is_open, instances_are_open
from racelint.fixes.places import stored_at
from racelint.fixes.slots import Slots, slots_of, with_name
from racelint.fixes.statements import statement
from racelint.model.summary import Call, Return, Span
from racelint.program import Program
from racelint.program.flow.values import nodes_of
from racelint.program.names.index import ClassInfo, FunctionInfo
from racelint.program.objects.families import descendants
from racelint.program.objects.locations import Location
from racelint.syntax.edits import Block, Rewriting, Tree

_COPYING = frozenset({"copy", "pickle", "multiprocessing", "joblib", "dill", "cloudpickle", "shelve", "dask", "ray"})
_COPIED_BY = frozenset(
    {"__getstate__", "__setstate__", "__reduce__", "__reduce_ex__", "__copy__", "__deepcopy__", "__getnewargs__"}
)

_LISTING = re.compile(r"\b__dict__\b|\bvars\(\w")
_BYPASSING = r"(?<!super\(\))\.__new__\("


class Place(NamedTuple):
    """The block in which `target` is assigned, beside what first assigns the variable there, before a `call` that comes
    to it."""

    target: str
    block: Block
    assigned: cst.CSTNode | None
    call: cst.CSTNode | None = None


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
    for target, block, assigned, call in new.places:
        factory = imported(rewriting, module, name, assigned or block)
        place = _place(rewriting.tree, block, assigned)
        if call is not None:
            place = min(place, _holding(rewriting.tree, block, call)[0])
        insert(rewriting, block, place, statement(f"{target} = {factory}()"))
    if new.slots is not None:
        named = with_name(new.slots, new.location.fields[0])
        rewriting.replace(new.slots, lambda updated: named)


def _in_class(draft: Draft, cls: ClassInfo, beside: Location, static: bool) -> NewLock | None:
    display = cls.module.source.display
    tree = draft.tree(display)
    block = _block_of(tree, cls.ir.name_span)
    if block is None or not class_is_open(draft.program, cls):
        return None
    name = free_name(names_in_class(draft.program, cls), "_lock", f"_{beside.fields[0].strip('_')}_lock")
    location = Location("attribute", cls.id, (name,))
    open_to_it = not static and instances_are_open(draft.program, tree, cls, block)
    constructors = _constructors(tree, draft.program, cls) if open_to_it else ()
    places = [_in_constructor(tree, draft, beside, function, name) for function in constructors]
    if not places or None in places:
        assigned = _first_write(tree, draft, beside, lambda f: f.ir.kind == "class" and f.qualname == cls.ir.qualname)
        return NewLock(location, display, (Place(name, block, assigned),))
    known = tuple(place for place in places if place is not None)
    return NewLock(location, display, known, _doubt(draft, cls), slots_of(block))


def _in_constructor(tree: Tree, draft: Draft, beside: Location, function: FunctionInfo, name: str) -> Place | None:
    body = _block_of(tree, function.ir.name_span)
    own = Location(beside.kind, function.cls.id if function.cls is not None else beside.owner, beside.fields)
    assigned = _first_write(tree, draft, own, lambda f: f is function)
    call = _first_call(tree, draft, beside, function, function.cls)
    return Place(f"{function.self_name}.{name}", body, assigned, call) if body is not None else None


def _doubt(draft: Draft, cls: ClassInfo) -> str:
    """What no longer works with instances that have a lock."""
    if _is_copied(draft.program, cls):
        return "instances that have a lock can no longer be copied or pickled"
    family = {related.module.source.display for related in (*cls.mro, *descendants(cls))}
    if any(_LISTING.search(draft.tree(display).text) for display in sorted(family)):
        return "what looks at every attribute of an instance finds a lock there"
    return ""


def _constructors(tree: Tree, program: Program, cls: ClassInfo) -> tuple[FunctionInfo, ...]:
    """The `__init__` of the class and those of subclasses that call no other: one of them surely runs for every
    instance. Empty where that is not so, or not in one file, and a lock of the class must do."""
    if "__init__" not in cls.ir.methods or _is_made_without(tree, program, cls):
        return ()
    found: list[FunctionInfo] = []
    for one in (cls, *descendants(cls)):
        qualname = one.ir.methods.get("__init__")
        function = one.module.functions[qualname] if qualname is not None else None
        if function is None or (one is not cls and _always_initialises(program, function)):
            continue
        sometimes = one is not cls and _calls_constructor(program, function)
        if sometimes or one.module is not cls.module or not function.self_name:
            return ()
        found.append(function)
    return tuple(found)


def _calls_constructor(program: Program, function: FunctionInfo) -> bool:
    return any(site.callee.ir.name == "__init__" for site in program.calls.outgoing[function.id])


def _always_initialises(program: Program, constructor: FunctionInfo) -> bool:
    """Whether a constructor of a child calls that of a base on its way, whatever happens."""
    inits = {site.event for site in program.calls.outgoing[constructor.id] if site.callee.ir.name == "__init__"}
    for node in constructor.ir.body:
        if isinstance(node, Call) and node.id in inits:
            return True
        if any(isinstance(inner, Return) for inner in nodes_of((node,))):
            return False
    return False


def _is_made_without(tree: Tree, program: Program, cls: ClassInfo) -> bool:
    """Whether the class itself, or its module by its name, makes instances that `__init__` does not run for."""
    block = _block_of(tree, cls.ir.name_span)
    if block is not None and re.search(_BYPASSING, tree.spelled(block)):
        return True
    names = "|".join(re.escape(related.ir.name) for related in (cls, *descendants(cls)))
    return re.search(rf"{_BYPASSING}({names})\b", tree.text) is not None


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
    body = next(f for f in draft.program.index.functions if f.module is module and f.ir.kind == "module")
    place = Place(name, tree.module, assigned, _first_call(tree, draft, beside, body))
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
    place = Place(name, block, assigned, _first_call(tree, draft, beside, function))
    return NewLock(location, function.module.source.display, (place,))


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
        place, entry = _holding(tree, block, assigned)
        return place + (1 if isinstance(entry, cst.SimpleStatementLine) else 0)
    return 1 if is_docstring(block.body[0], 0) else 0


def _holding(tree: Tree, block: Block, node: cst.CSTNode) -> tuple[int, cst.CSTNode]:
    """The statement of the block that holds a node, and its place there."""
    holders = {id(one) for one in (node, *tree.ancestors(node))}
    return next((place, entry) for place, entry in enumerate(block.body) if id(entry) in holders)


def _first_call(
    tree: Tree, draft: Draft, beside: Location, function: FunctionInfo, cls: ClassInfo | None = None
) -> cst.CSTNode | None:
    span = first_call_to(draft.program, beside, function, cls)
    return tree.node_at(span) if span is not None else None


def _behind_attributes(tree: Tree, block: Block, assigned: cst.CSTNode | None) -> int:
    lines = [isinstance(entry, cst.SimpleStatementLine) for entry in block.body]
    holders = {id(node) for node in (assigned, *tree.ancestors(assigned))} if assigned is not None else set()
    start = next((place for place, entry in enumerate(block.body) if id(entry) in holders), 0)
    return [*lines, False].index(False, start)
