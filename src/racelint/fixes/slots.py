"""The `__slots__` of a class, where they are written out."""

from __future__ import annotations

import libcst as cst

from racelint.syntax.edits import Block

Slots = cst.Tuple | cst.List


def slots_of(block: Block) -> Slots | None:
    """What a class assigns to `__slots__`, if that is a tuple or a list with something in it."""
    for entry in block.body:
        small = entry.body[0] if isinstance(entry, cst.SimpleStatementLine) else None
        if isinstance(small, cst.Assign) and len(small.targets) == 1:
            target = small.targets[0].target
            named = isinstance(target, cst.Name) and target.value == "__slots__"
            if named and isinstance(small.value, Slots) and small.value.elements:
                return small.value
    return None


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
