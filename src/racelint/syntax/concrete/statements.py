"""Statements."""

from __future__ import annotations

import ast
from collections.abc import Iterable

import libcst as cst

from racelint.syntax.concrete.converter import Converter, converts
from racelint.syntax.concrete.expressions import arguments, operator


@converts(cst.Expr)
def _expression(to: Converter, node: cst.Expr) -> ast.stmt:
    return to.placed(ast.Expr(to.one(node.value)), node)


@converts(cst.Assign)
def _assign(to: Converter, node: cst.Assign) -> ast.stmt:
    targets = [to.target(part.target) for part in node.targets]
    return to.placed(ast.Assign(targets, to.one(node.value)), node)


@converts(cst.AnnAssign)
def _annotated(to: Converter, node: cst.AnnAssign) -> ast.stmt:
    simple = int(isinstance(node.target, cst.Name) and not node.target.lpar)
    annotation = to.one(node.annotation.annotation)
    return to.placed(ast.AnnAssign(to.target(node.target), annotation, to.maybe(node.value), simple), node)


@converts(cst.AugAssign)
def _augmented(to: Converter, node: cst.AugAssign) -> ast.stmt:
    return to.placed(ast.AugAssign(to.target(node.target), operator(node.operator), to.one(node.value)), node)


@converts(cst.Del)
def _delete(to: Converter, node: cst.Del) -> ast.stmt:
    target = to.one(node.target)
    several = isinstance(target, ast.Tuple) and isinstance(node.target, cst.Tuple) and not node.target.lpar
    return to.placed(ast.Delete(target.elts if several else [target]), node)


@converts(cst.Return)
def _return(to: Converter, node: cst.Return) -> ast.stmt:
    return to.placed(ast.Return(to.maybe(node.value)), node)


@converts(cst.Raise)
def _raise(to: Converter, node: cst.Raise) -> ast.stmt:
    cause = to.one(node.cause.item) if node.cause is not None else None
    return to.placed(ast.Raise(to.maybe(node.exc), cause), node)


@converts(cst.Assert)
def _assert(to: Converter, node: cst.Assert) -> ast.stmt:
    return to.placed(ast.Assert(to.one(node.test), to.maybe(node.msg)), node)


@converts(cst.Pass, cst.Break, cst.Continue)
def _bare(to: Converter, node: cst.CSTNode) -> ast.stmt:
    kinds: dict[type, type[ast.stmt]] = {cst.Pass: ast.Pass, cst.Break: ast.Break, cst.Continue: ast.Continue}
    return to.placed(kinds[type(node)](), node)


@converts(cst.Global, cst.Nonlocal)
def _names(to: Converter, node: cst.Global | cst.Nonlocal) -> ast.stmt:
    names = [item.name.value for item in node.names]
    return to.placed(ast.Global(names) if isinstance(node, cst.Global) else ast.Nonlocal(names), node)


@converts(cst.Import, cst.LazyImport)
def _import(to: Converter, node: cst.Import | cst.LazyImport) -> ast.stmt:
    return to.placed(ast.Import(_aliases(to, node.names)), node)


@converts(cst.ImportFrom, cst.LazyImportFrom)
def _import_from(to: Converter, node: cst.ImportFrom | cst.LazyImportFrom) -> ast.stmt:
    module = _dotted(node.module) if node.module is not None else None
    if isinstance(node.names, cst.ImportStar):
        names = [to.placed(ast.alias("*", None), node.names)]
    else:
        names = _aliases(to, node.names)
    return to.placed(ast.ImportFrom(module, names, len(node.relative)), node)


def _aliases(to: Converter, aliases: Iterable[cst.ImportAlias]) -> list[ast.alias]:
    return [to.placed(ast.alias(_dotted(alias.name), _as(alias.asname)), alias) for alias in aliases]


def _as(asname: cst.AsName | None) -> str | None:
    return asname.name.value if asname is not None and isinstance(asname.name, cst.Name) else None


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


@converts(cst.TypeAlias)
def _type_alias(to: Converter, node: cst.TypeAlias) -> ast.stmt:
    """No statement that is executed: what it names is looked at lazily."""
    return to.placed(ast.Pass(), node)


@converts(cst.If)
def _if(to: Converter, node: cst.If) -> ast.stmt:
    orelse = [to.one(node.orelse)] if isinstance(node.orelse, cst.If) else to.suite(node.orelse)
    body = to.suite(node.body)
    return to.placed(ast.If(to.one(node.test), body, orelse), node, (orelse or body)[-1])


@converts(cst.While)
def _while(to: Converter, node: cst.While) -> ast.stmt:
    body, orelse = to.suite(node.body), to.suite(node.orelse)
    return to.placed(ast.While(to.one(node.test), body, orelse), node, (orelse or body)[-1])


@converts(cst.For)
def _for(to: Converter, node: cst.For) -> ast.stmt:
    kind = ast.For if node.asynchronous is None else ast.AsyncFor
    body, orelse = to.suite(node.body), to.suite(node.orelse)
    return to.placed(kind(to.target(node.target), to.one(node.iter), body, orelse), node, (orelse or body)[-1])


@converts(cst.With)
def _with(to: Converter, node: cst.With) -> ast.stmt:
    kind = ast.With if node.asynchronous is None else ast.AsyncWith
    items = [
        ast.withitem(to.one(item.item), to.target(item.asname.name) if item.asname is not None else None)
        for item in node.items
    ]
    body = to.suite(node.body)
    return to.placed(kind(items, body), node, body[-1])


@converts(cst.Try, cst.TryStar)
def _try(to: Converter, node: cst.Try | cst.TryStar) -> ast.stmt:
    kind = ast.Try if isinstance(node, cst.Try) else ast.TryStar
    body, orelse, final = to.suite(node.body), to.suite(node.orelse), to.suite(node.finalbody)
    handlers = to.many(node.handlers)
    last = (final or orelse or handlers or body)[-1]
    return to.placed(kind(body, handlers, orelse, final), node, last)


@converts(cst.ExceptHandler, cst.ExceptStarHandler)
def _handler(to: Converter, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ast.ExceptHandler:
    body = to.suite(node.body)
    return to.placed(ast.ExceptHandler(to.maybe(node.type), _as(node.name), body), node, body[-1])


@converts(cst.FunctionDef)
def _function(to: Converter, node: cst.FunctionDef) -> ast.stmt:
    kind = ast.FunctionDef if node.asynchronous is None else ast.AsyncFunctionDef
    returns = to.one(node.returns.annotation) if node.returns is not None else None
    decorators = [to.one(decorator.decorator) for decorator in node.decorators]
    body = to.suite(node.body)
    return to.placed(kind(node.name.value, arguments(to, node.params), body, decorators, returns), node, body[-1])


@converts(cst.ClassDef)
def _class(to: Converter, node: cst.ClassDef) -> ast.stmt:
    bases = [to.placed(ast.Starred(to.one(b.value), ast.Load()), b) if b.star else to.one(b.value) for b in node.bases]
    keywords = [ast.keyword(arg.keyword.value if arg.keyword else None, to.one(arg.value)) for arg in node.keywords]
    decorators = [to.one(decorator.decorator) for decorator in node.decorators]
    body = to.suite(node.body)
    return to.placed(ast.ClassDef(node.name.value, bases, keywords, body, decorators), node, body[-1])
