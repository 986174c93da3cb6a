"""The `__slots__` of a class, where they are written out."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from racelint.syntax.edits import Block

Slots = cst.Tuple | cst.List


def slots_of(block: Block) -> Slots | None:
    """What a class assigns to `__slots__`, if that is a tuple or a list with something in it."""
    found = list(_assigned(block))
    value = found[0].value if len(found) == 1 and not isinstance(found[0], cst.AugAssign) else None
    return value if isinstance(value, Slots) and value.elements else None


def assigns_slots(block: Block) -> bool:
    """Whether a class says which slots it has, in whatever way."""
    return any(True for _ in _assigned(block))


def _assigned(block: Block) -> Iterator[cst.Assign | cst.AnnAssign | cst.AugAssign]:
    for entry in block.body:
        for small in entry.body if isinstance(entry, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                targets = [target.target for target in small.targets]
            else:
                targets = [small.target] if isinstance(small, (cst.AnnAssign, cst.AugAssign)) else []
            if any(isinstance(target, cst.Name) and target.value == "__slots__" for target in targets):
                yield small  # type: ignore[misc]


def with_name(slots: Slots, name: str) -> Slots:
    """The slots with one more, laid out like those that are there."""
    *before, last = slots.elements
    quote = last.value.quote if isinstance(last.value, cst.SimpleString) else '"'
    value = cst.SimpleString(f"{quote}{name}{quote}")
    between = before[0].comma if before else cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    bracket = slots.rbracket if isinstance(slots, cst.List) else next(iter(slots.rpar), None)
    end = bracket.whitespace_before if bracket is not None else None
    inner = between.whitespace_after if isinstance(between, cst.Comma) else None
    new = cst.Element(value)
    if isinstance(end, cst.ParenthesizedWhitespace) and isinstance(inner, cst.ParenthesizedWhitespace):
        # one on each line, with its comment
        assert bracket is not None
        between = cst.Comma(whitespace_after=inner.with_changes(first_line=end.first_line, empty_lines=()))
        new = cst.Element(value, comma=last.comma)
        closed = bracket.with_changes(whitespace_before=end.with_changes(first_line=cst.TrailingWhitespace()))
        slots = slots.with_changes(**({"rbracket": closed} if isinstance(slots, cst.List) else {"rpar": [closed]}))
    return slots.with_changes(elements=[*before, last.with_changes(comma=between), new])
