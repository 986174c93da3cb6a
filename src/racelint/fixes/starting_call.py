"""The call that starts a thread, process, timer or task, with what it is given, in the program and in the source."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import libcst as cst

from racelint.fixes.draft import Draft
from racelint.model.summary import Argument, Span
from racelint.program import Program
from racelint.program.threads.roots import StartCall

TIGHT = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))


class Repair(NamedTuple):
    """What `build` makes of the call; `doubt`: why that may not be what was meant."""

    build: Callable[[cst.Call], cst.Call]
    message: str
    doubt: str = ""


class StartingCall(NamedTuple):
    """`given`: each argument as the program knows it and as it is written, in order."""

    program: Program
    start: StartCall
    call: cst.Call
    given: tuple[tuple[Argument, cst.Arg], ...]

    @classmethod
    def at(cls, draft: Draft, display: str, span: Span) -> StartingCall | None:
        """The one that stands there; None where there is none, or an argument is starred."""
        call = draft.tree(display).at(span, cst.Call)
        here = (s for s in draft.program.start_calls if s.function.module.source.display == display)
        start = next((s for s in here if s.call.span == span), None)
        if call is None or start is None or len(start.call.args) != len(call.args) or any(a.star for a in call.args):
            return None
        return cls(draft.program, start, call, tuple(zip(start.call.args, call.args, strict=True)))

    @property
    def plain(self) -> list[cst.Arg]:
        """The positional arguments."""
        return [arg for arg in self.call.args if arg.keyword is None]

    def named(self, *names: str) -> cst.Arg | None:
        """The argument with one of these names."""
        return next((arg for arg in self.call.args if arg.keyword is not None and arg.keyword.value in names), None)

    @property
    def target(self) -> cst.Arg | None:
        """What is run."""
        slot, plain = self.start.starter.target, self.plain
        return self.named(self.start.starter.keyword) or (plain[slot] if slot < len(plain) else None)

    @property
    def args(self) -> cst.Arg | None:
        """What holds the arguments of the target, where it is one argument."""
        slot = self.start.starter.args
        return self.named("args") or (self.plain[slot] if 0 <= slot < len(self.plain) else None)

    @property
    def kwargs(self) -> cst.Arg | None:
        """What holds those with a name."""
        slot = self.start.starter.args + 1
        return self.named("kwargs", "kwds") or (self.plain[slot] if 0 < slot < len(self.plain) else None)

    @property
    def rest(self) -> list[cst.Arg]:
        """The positional arguments of the target, where the call takes them one by one."""
        return self.plain[self.start.starter.target + 1 :] if self.start.starter.args == -1 else []

    def can_go(self, *args: cst.Arg) -> bool:
        """Whether no positional argument would come into another slot without these."""
        plain = self.plain
        positional = [arg for arg in plain if arg in args]
        return positional == plain[len(plain) - len(positional) :]


def with_args(args: Iterable[cst.Arg]) -> Callable[[cst.Call], cst.Call]:
    """The call with these arguments, its last one followed by what the last one was followed by."""
    fresh = list(args)

    def build(call: cst.Call) -> cst.Call:
        if not fresh:
            return call.with_changes(args=[], whitespace_before_args=cst.SimpleWhitespace(""))
        last = call.args[-1]
        inner = [arg if isinstance(arg.comma, cst.Comma) else arg.with_changes(comma=_COMMA) for arg in fresh[:-1]]
        end = fresh[-1].with_changes(comma=last.comma, whitespace_after_arg=last.whitespace_after_arg)
        return call.with_changes(args=[*inner, end])

    return build


_COMMA = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))


def in_place_of(call: cst.Call, old: cst.Arg, *new: cst.Arg) -> Callable[[cst.Call], cst.Call]:
    """The call with one argument replaced by others, or by none."""
    return with_args(arg for own in call.args for arg in (new if own is old else (own,)))


def keyworded(arg: cst.Arg, name: str) -> cst.Arg:
    """The argument with a name."""
    return arg.with_changes(keyword=cst.Name(name), equal=TIGHT)


def in_tuple(*values: cst.BaseExpression) -> cst.Tuple:
    """A tuple of what is written; brackets around a single value become its own."""
    if len(values) > 1:
        return cst.Tuple([cst.Element(value) for value in values])
    (value,) = values
    bare = value.with_changes(lpar=value.lpar[1:], rpar=value.rpar[:-1]) if value.lpar else value
    return cst.Tuple([cst.Element(bare, comma=cst.Comma())])


def elements_of(value: cst.BaseExpression) -> list[cst.BaseExpression] | None:
    """The elements of a displayed tuple or list; None for anything else, and where one is starred."""
    if not isinstance(value, (cst.Tuple, cst.List)):
        return None
    plain = all(isinstance(element, cst.Element) for element in value.elements)
    return [element.value for element in value.elements] if plain else None
