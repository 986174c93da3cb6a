"""How a file names something of the standard library, and the import that it needs for that."""

from __future__ import annotations

import re
import sys

import libcst as cst

from racelint.fixes.hidden_names import is_hidden
from racelint.fixes.statements import comments_in, statement
from racelint.syntax.edits import Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within

_BLANK = cst.EmptyLine(indent=False)


def imported(rewriting: Rewriting, module: str, name: str, user: cst.CSTNode, *, by_name: bool = False) -> str:
    """The expression for `module.name` in the file, imported as the file does it already, or by a new line.

    An import counts if it stands before the statement of the module that `user`, where the name is needed, is part of.
    `by_name`: rather with an existing `from module import …` than with an `import module`.
    """
    tree = rewriting.tree
    holders = {id(node) for node in (user, *tree.ancestors(user))}
    before = next((place for place, entry in enumerate(tree.module.body) if id(entry) in holders), None)
    entries = _imports(tree, before)
    whole = _through_module([*entries, *_tried_imports(tree, before)], module, name, tree.text)
    found = whole if whole and not by_name else _by_name(rewriting, entries, module, name) or whole
    if found is None:
        _add_line(rewriting, module)
        found = f"{module}.{name}"
    if is_hidden(tree, user, found.partition(".")[0]):
        return _by_name(rewriting, entries, module, name) or _added_name(rewriting, module, name) or found
    return found


def _through_module(entries: list[cst.Import | cst.ImportFrom], module: str, name: str, text: str) -> str | None:
    """`module.name`, where the module itself is imported."""
    for entry in entries:
        for alias in entry.names if isinstance(entry, cst.Import) else ():
            if _dotted(alias.name) == module and not _is_deleted(text, _local(alias) or module):
                return f"{_local(alias) or module}.{name}"
    return None


def _is_deleted(text: str, name: str) -> bool:
    return re.search(rf"^del\b.*\b{re.escape(name)}\b", text, re.MULTILINE) is not None


def _by_name(rewriting: Rewriting, entries: list[cst.Import | cst.ImportFrom], module: str, name: str) -> str | None:
    """`name`, where it is imported from the module or can be with what is."""
    for entry in entries:
        if not isinstance(entry, cst.ImportFrom) or _dotted(entry.module) != module or entry.relative:
            continue
        if isinstance(entry.names, cst.ImportStar):
            continue
        known = next((alias for alias in entry.names if _dotted(alias.name) == name), None)
        if known is not None:
            return _local(known) or name
        if not re.search(rf"(?<![\w.]){name}\b", rewriting.tree.text):
            rewriting.replace(entry, lambda updated: _with_name(updated, name))
            return name
    return None


def _added_name(rewriting: Rewriting, module: str, name: str) -> str | None:
    """`name`, imported by a new line; None where the file has that name for something."""
    if re.search(rf"(?<![\w.]){name}\b", rewriting.tree.text):
        return None
    place = _place_of(rewriting.tree, module)
    insert(rewriting, rewriting.tree.module, place, statement(f"from {module} import {name}"))
    return name


def _imports(tree: Tree, before: int | None) -> list[cst.Import | cst.ImportFrom]:
    """The import statements of the module's own level, in order, up to a place in its body."""
    lines = [entry for entry in tree.module.body[:before] if isinstance(entry, cst.SimpleStatementLine)]
    return [small for entry in lines for small in entry.body if isinstance(small, (cst.Import, cst.ImportFrom))]


def _tried_imports(tree: Tree, before: int | None) -> list[cst.Import | cst.ImportFrom]:
    """Those of a `try` of the module's own level whose names are imported by what comes after a failure, too."""
    found: list[cst.Import | cst.ImportFrom] = []
    for entry in tree.module.body[:before]:
        if isinstance(entry, cst.Try) and entry.handlers and _only_imports(entry):
            others = [set().union(*map(_bound_by, _imports_in(handler.body))) for handler in entry.handlers]
            found += [small for small in _imports_in(entry.body) if all(_bound_by(small) <= names for names in others)]
    return found


def _imports_in(block: cst.BaseSuite) -> list[cst.Import | cst.ImportFrom]:
    return [node for node in nodes_within(block) if isinstance(node, (cst.Import, cst.ImportFrom))]


def _bound_by(entry: cst.Import | cst.ImportFrom) -> set[str]:
    names = () if isinstance(entry.names, cst.ImportStar) else entry.names
    return {_local(alias) or _dotted(alias.name).partition(".")[0] for alias in names}


def _dotted(node: cst.CSTNode | None) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _local(alias: cst.ImportAlias) -> str:
    return _dotted(alias.asname.name) if alias.asname is not None else ""


def _with_name(entry: cst.ImportFrom, name: str) -> cst.ImportFrom:
    """The import with one more name, at its place in the alphabet where the others are in order."""
    assert not isinstance(entry.names, cst.ImportStar)
    names = list(entry.names)
    words = [_dotted(alias.name) for alias in names]
    place = sum(word < name for word in words) if words == sorted(words) else len(words)
    comma = names[0].comma
    if not isinstance(comma, cst.Comma):
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    last = place == len(names)
    fresh = cst.ImportAlias(cst.Name(name), comma=names[-1].comma if last else comma)
    if last:
        names[-1] = names[-1].with_changes(comma=comma)
    names.insert(place, fresh)
    return entry.with_changes(names=names)


def _leading_imports(tree: Tree) -> tuple[int, int]:
    """Where the imports at the top of the module begin, behind its docstring, and where they end."""
    body = tree.module.body
    start = 0
    while start < len(body) and (is_docstring(body[start], start) or _is_future(body[start])):
        start += 1
    stop = start
    while stop < len(body) and _is_import(body[stop]):
        stop += 1
    return start, stop


def after_imports(tree: Tree) -> int:
    """The place in the module behind the imports at its top, those under a condition or in a `try` included."""
    body, place = tree.module.body, _leading_imports(tree)[1]
    while place < len(body) and (_is_import(body[place]) or _only_imports(body[place])):
        place += 1
    return place


def _only_imports(node: cst.CSTNode) -> bool:
    """Whether an `if` or `try` imports, and does nothing but that and name what could not be."""
    if not isinstance(node, (cst.If, cst.Try)):
        return False
    lines = [entry for entry in nodes_within(node) if isinstance(entry, cst.SimpleStatementLine)]
    small = [entry for statement_line in lines for entry in statement_line.body]
    plain = (cst.Import, cst.ImportFrom, cst.Pass, cst.Assign)
    calls = any(isinstance(entry, (cst.FunctionDef, cst.ClassDef, cst.For, cst.While)) for entry in nodes_within(node))
    return not calls and any(map(_is_import, lines)) and all(isinstance(entry, plain) for entry in small)


def _add_line(rewriting: Rewriting, module: str) -> None:
    place = _place_of(rewriting.tree, module)
    insert(rewriting, rewriting.tree.module, place, statement(f"import {module}"))


def _place_of(tree: Tree, module: str) -> int:
    """Where in the module a new `import module` goes."""
    body = tree.module.body
    start, stop = _leading_imports(tree)
    plain = [place for place in range(start, stop) if _plain_name(body[place])]
    later = [place for place in plain if _plain_name(body[place]) > module]
    return later[0] if later else plain[-1] + 1 if plain else start


def drop_unused(rewriting: Rewriting, gone: cst.CSTNode) -> None:
    """Take out the line that imports nothing but what `gone` names, where the file says that name nowhere else.

    It stays where a comment stands above it. The blank lines there pass to what comes into its place.
    """
    tree = rewriting.tree
    first = gone
    while isinstance(first, cst.Attribute):
        first = first.value
    name = _dotted(first)
    if not name or len(re.findall(rf"\b{name}\b", tree.text)) != 2:
        return
    for entry in _imports(tree, None):
        line = tree.statement(entry)
        names = () if isinstance(entry.names, cst.ImportStar) else entry.names
        if len(names) != 1 or (_local(names[0]) or _dotted(names[0].name)) != name:
            continue
        if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
            continue
        if not comments_in(line.leading_lines):
            _drop(rewriting, line)


def _drop(rewriting: Rewriting, line: cst.SimpleStatementLine) -> None:
    """Take out an import; it stays where a blank line above it would be lost."""
    tree = rewriting.tree
    place = tree.index(line)
    if line.leading_lines and not rewriting.inserts_at(tree.module, place):
        following = tree.module.body[place + 1] if place + 1 < len(tree.module.body) else None
        if not isinstance(following, cst.SimpleStatementLine) or following.leading_lines or not _is_import(following):
            return
        rewriting.replace(following, lambda updated: updated.with_changes(leading_lines=line.leading_lines))
    rewriting.splice(tree.module, place, place + 1, lambda found: [])


def insert(rewriting: Rewriting, block: cst.Module | cst.IndentedBlock, place: int, fresh: Statement) -> None:
    """Put a statement into a block, with the blank lines around it that people leave there."""
    body = block.body
    following = body[place] if place < len(body) else None
    moved = _blank_prefix(following) if following is not None and _same_kind(fresh, following) else []
    above = moved or ([_BLANK] if place > 0 and _stands_apart(rewriting, block, body[place - 1], fresh) else [])
    if not moved and place > 0 and isinstance(body[place - 1], (cst.FunctionDef, cst.ClassDef)):
        above = _blank_prefix(following) if following is not None else above
    if place == 0 and isinstance(block, cst.Module):
        _leave_comments(rewriting, block)
    rewriting.splice(block, place, place, lambda nothing: [fresh.with_changes(leading_lines=above)])
    if following is None:
        return
    if moved:
        rewriting.replace(
            following, lambda updated: updated.with_changes(leading_lines=updated.leading_lines[len(moved) :])
        )
        return
    first = isinstance(block, cst.Module) and _is_import(fresh) and (place == 0 or not _is_import(body[place - 1]))
    apart = first and not _same_kind(fresh, following) and not isinstance(following, (cst.FunctionDef, cst.ClassDef))
    if not _blank_prefix(following) and (apart or isinstance(following, (cst.FunctionDef, cst.ClassDef))):
        blanks = [_BLANK] * (2 if isinstance(block, cst.Module) and not apart else 1)
        rewriting.replace(
            following, lambda updated: updated.with_changes(leading_lines=[*blanks, *updated.leading_lines])
        )


def _leave_comments(rewriting: Rewriting, module: cst.Module) -> None:
    """Let the comments right above the first statement stay with it: those apart from the ones at the file's head."""
    own = len(module.header)
    while own > 0 and module.header[own - 1].comment is not None:
        own -= 1
    head, comments = module.header[:own], module.header[own:]
    if not comments or not any(empty.comment is not None for empty in head) or not module.body:
        return
    rewriting.replace(module, lambda updated: updated.with_changes(header=head))
    rewriting.replace(
        module.body[0], lambda updated: updated.with_changes(leading_lines=[*comments, *updated.leading_lines])
    )


def _stands_apart(
    rewriting: Rewriting, block: cst.Module | cst.IndentedBlock, before: cst.CSTNode, fresh: Statement
) -> bool:
    """Whether a blank line belongs between the two: behind a docstring, unless that of a function, and the imports."""
    in_function = isinstance(rewriting.tree.parent(block), cst.FunctionDef)
    documented = is_docstring(before, block.body.index(before)) and not in_function
    imports = isinstance(block, cst.Module) and (_is_import(before) or _only_imports(before))
    return documented or (imports and not _is_import(fresh))


def _same_kind(fresh: Statement, following: cst.CSTNode) -> bool:
    """Whether the two belong together, so that no blank line divides them: two simple lines, or two imports that are
    both of the standard library or both of something else."""
    if _is_import(fresh) and _is_import(following):
        return _is_standard(fresh) == _is_standard(following)
    return isinstance(following, cst.SimpleStatementLine) and _is_import(fresh) == _is_import(following)


def _is_standard(node: cst.CSTNode) -> bool:
    """Whether an import is one of the standard library."""
    small = node.body[0] if isinstance(node, cst.SimpleStatementLine) else None
    name = _dotted(small.module) if isinstance(small, cst.ImportFrom) and not small.relative else _plain_name(node)
    return name.partition(".")[0] in sys.stdlib_module_names


def _blank_prefix(node: cst.CSTNode) -> list[cst.EmptyLine]:
    found: list[cst.EmptyLine] = []
    for empty in getattr(node, "leading_lines", ()):
        if empty.comment is not None:
            break
        found.append(empty)
    return found


def is_docstring(node: cst.CSTNode, place: int) -> bool:
    """Whether the statement at a place of a block is its docstring."""
    small = node.body[0] if isinstance(node, cst.SimpleStatementLine) else None
    text = small.value if isinstance(small, cst.Expr) else None
    return place == 0 and isinstance(text, (cst.SimpleString, cst.ConcatenatedString))


def _is_future(node: cst.CSTNode) -> bool:
    small = node.body[0] if isinstance(node, cst.SimpleStatementLine) else None
    return isinstance(small, cst.ImportFrom) and _dotted(small.module) == "__future__"


def _is_import(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], (cst.Import, cst.ImportFrom))


def _plain_name(node: cst.CSTNode) -> str:
    """What `import a.b` imports; empty for anything else."""
    small = node.body[0] if isinstance(node, cst.SimpleStatementLine) else None
    return _dotted(small.names[0].name) if isinstance(small, cst.Import) else ""
