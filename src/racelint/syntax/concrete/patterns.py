"""The patterns of `match`: of interest only for the names that they bind."""

from __future__ import annotations

import ast
from typing import Any

import libcst as cst

from racelint.syntax.concrete.converter import Converter, converts


@converts(cst.Match)
def _match(to: Converter, node: cst.Match) -> ast.stmt:
    cases = [ast.match_case(to.one(case.pattern), to.maybe(case.guard), to.suite(case.body)) for case in node.cases]
    return to.placed(ast.Match(to.one(node.subject), cases), node, cases[-1].body[-1])


@converts(cst.MatchAs)
def _as(to: Converter, node: cst.MatchAs) -> ast.pattern:
    return to.placed(ast.MatchAs(to.maybe(node.pattern), _text(node.name)), node)


@converts(cst.MatchStar)
def _star(to: Converter, node: cst.MatchStar) -> ast.pattern:
    return to.placed(ast.MatchStar(_text(node.name)), node)


@converts(cst.MatchValue)
def _value(to: Converter, node: cst.MatchValue) -> ast.pattern:
    return to.placed(ast.MatchValue(to.one(node.value)), node)


@converts(cst.MatchSingleton)
def _singleton(to: Converter, node: cst.MatchSingleton) -> ast.pattern:
    return to.placed(ast.MatchSingleton(to.one(node.value).value), node)


@converts(cst.MatchList, cst.MatchTuple)
def _sequence(to: Converter, node: cst.MatchList | cst.MatchTuple) -> ast.pattern:
    parts = [to.one(part if isinstance(part, cst.MatchStar) else part.value) for part in node.patterns]
    return to.placed(ast.MatchSequence(parts), node)


@converts(cst.MatchMapping)
def _mapping(to: Converter, node: cst.MatchMapping) -> ast.pattern:
    keys = [to.one(part.key) for part in node.elements]
    patterns = [to.one(part.pattern) for part in node.elements]
    return to.placed(ast.MatchMapping(keys, patterns, _text(node.rest)), node)


@converts(cst.MatchClass)
def _class(to: Converter, node: cst.MatchClass) -> ast.pattern:
    plain = [to.one(part.value) for part in node.patterns]
    names = [part.key.value for part in node.kwds]
    return to.placed(ast.MatchClass(to.one(node.cls), plain, names, [to.one(part.pattern) for part in node.kwds]), node)


@converts(cst.MatchOr)
def _or(to: Converter, node: cst.MatchOr) -> ast.pattern:
    return to.placed(ast.MatchOr([to.one(part.pattern) for part in node.patterns]), node)


def _text(name: Any) -> str | None:
    return name.value if name is not None else None
