"""Arguments that the code itself passes: literals, constants and simple objects mined from the calls in it."""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass

from racelint.confirm.outline import FunctionNode, ModuleOutline, last_name

RESOLVE_DEPTH = 4
"""Assignments followed from an argument back to a literal."""

LARGEST_NUMBER = 10_000
"""A mined whole number above this is a size or a count of turns: a small one shows the same and ends sooner."""


@dataclass(frozen=True)
class CallSite:
    """The arguments of one call as text that means the same anywhere (`target` is the module)."""

    arguments: tuple[str, ...]
    keywords: tuple[tuple[str, str], ...]
    line: int


def call_sites(outline: ModuleOutline, name: str, *, constructor: bool) -> list[CallSite]:
    """Calls of `name` in the module whose arguments can be written down elsewhere, in source order.

    `constructor` asks for plain calls `Name(…)` alone; otherwise `x.name(…)`, `Thread(target=x.name, args=…)`,
    `Timer(s, x.name, args)` and `submit(x.name, …)` count as well.
    """
    found = []
    for scope, call in calls_of(outline):
        if constructor and last_name(call.func) == name:
            site = _site(outline, scope, call.args, call.keywords, call.lineno)
        elif not constructor:
            site = _any_site(outline, scope, call, name)
        else:
            continue
        if site is not None:
            found.append(site)
    return sorted(found, key=lambda site: site.line)


def _any_site(outline: ModuleOutline, scope: FunctionNode | None, call: ast.Call, name: str) -> CallSite | None:
    if last_name(call.func) == name:
        return _site(outline, scope, call.args, call.keywords, call.lineno)
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}
    target = keywords.get("target") or keywords.get("function")
    if target is not None and last_name(target) == name:
        return _unpacked(outline, scope, keywords.get("args"), call.lineno)
    positions = [index for index, argument in enumerate(call.args) if last_name(argument) == name]
    if not positions:
        return None
    rest = call.args[positions[0] + 1 :]
    if last_name(call.func) in ("submit", "start_soon", "run_in_executor", "to_thread", "apply_async"):
        return _site(outline, scope, rest, [], call.lineno)
    if last_name(call.func) in ("Thread", "Process", "Timer", "start_new_thread"):
        return _unpacked(outline, scope, keywords.get("args") or (rest[0] if rest else None), call.lineno)
    return None


def _unpacked(
    outline: ModuleOutline, scope: FunctionNode | None, arguments: ast.expr | None, line: int
) -> CallSite | None:
    if arguments is None:
        return CallSite((), (), line)
    if isinstance(arguments, ast.Tuple | ast.List):
        return _site(outline, scope, arguments.elts, [], line)
    return None


def _site(
    outline: ModuleOutline, scope: FunctionNode | None, args: list[ast.expr], keywords: list[ast.keyword], line: int
) -> CallSite | None:
    try:
        portable = _Portable(outline, scope)
        texts = tuple(portable.text(argument) for argument in args)
        named = tuple((keyword.arg or "", portable.text(keyword.value)) for keyword in keywords)
    except _NotPortable:
        return None
    return CallSite(texts, named, line) if all(name for name, _ in named) else None


def calls_of(outline: ModuleOutline) -> list[tuple[FunctionNode | None, ast.Call]]:
    """Every call of the module with the function it stands in, found once."""
    if outline.calls is None:
        outline.calls = []
        stack: list[tuple[ast.AST, FunctionNode | None]] = [(outline.tree, None)]
        while stack:
            node, around = stack.pop()
            if isinstance(node, ast.Call):
                outline.calls.append((around, node))
            inner = node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else around
            stack.extend((child, inner) for child in ast.iter_child_nodes(node))
    return outline.calls


class _NotPortable(Exception):
    """An argument depends on something that only exists at its call site."""


class _Portable:
    """Rewrites an expression so that it holds outside its function: names become `target.name` or their literal."""

    def __init__(self, outline: ModuleOutline, scope: FunctionNode | None) -> None:
        self.outline = outline
        self.scope = scope
        self.locals = _single_assignments(scope.body if scope else _script_body(outline))
        self.parameters = {a.arg for a in ast.walk(scope) if isinstance(a, ast.arg)} if scope else set()

    def text(self, node: ast.expr) -> str:
        rewritten = self._rewrite(node, 0)
        return ast.unparse(ast.fix_missing_locations(rewritten))

    def _rewrite(self, node: ast.expr, depth: int) -> ast.expr:
        if depth > RESOLVE_DEPTH * 4:
            raise _NotPortable
        if isinstance(node, ast.Constant):
            return _small(node)
        if isinstance(node, ast.Name):
            return self._name(node, depth)
        if isinstance(node, ast.Attribute):
            return ast.Attribute(self._rewrite(node.value, depth + 1), node.attr, ast.Load())
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self._rewrite(node.operand, depth + 1))
        if isinstance(node, ast.BinOp):
            return ast.BinOp(self._rewrite(node.left, depth + 1), node.op, self._rewrite(node.right, depth + 1))
        if isinstance(node, ast.List | ast.Tuple):
            return type(node)([self._rewrite(e, depth + 1) for e in node.elts], ast.Load())
        if isinstance(node, ast.Set):
            return ast.Set([self._rewrite(e, depth + 1) for e in node.elts])
        if isinstance(node, ast.Dict):
            return self._dict(node, depth)
        if isinstance(node, ast.Call):
            return self._call(node, depth)
        raise _NotPortable

    def _name(self, node: ast.Name, depth: int) -> ast.expr:
        if node.id in self.locals:
            return self._rewrite(self.locals[node.id], depth + RESOLVE_DEPTH)
        if node.id in self.parameters:
            raise _NotPortable
        outline = self.outline
        if node.id in outline.classes or node.id in outline.functions or node.id in outline.imports:
            return ast.Attribute(ast.Name("target", ast.Load()), node.id, ast.Load())
        if node.id in outline.constants:
            return ast.Attribute(ast.Name("target", ast.Load()), node.id, ast.Load())
        if hasattr(builtins, node.id):
            return ast.Name(node.id, ast.Load())
        raise _NotPortable

    def _dict(self, node: ast.Dict, depth: int) -> ast.expr:
        keys: list[ast.expr | None] = []
        for key in node.keys:
            if key is None:
                raise _NotPortable
            keys.append(self._rewrite(key, depth + 1))
        return ast.Dict(keys, [self._rewrite(value, depth + 1) for value in node.values])

    def _call(self, node: ast.Call, depth: int) -> ast.expr:
        if isinstance(node.func, ast.Name) and node.func.id in ("open", "input", "eval", "exec", "next", "locals"):
            raise _NotPortable
        keywords = []
        for keyword in node.keywords:
            if keyword.arg is None:
                raise _NotPortable
            keywords.append(ast.keyword(keyword.arg, self._rewrite(keyword.value, depth + 1)))
        arguments = [self._rewrite(argument, depth + 1) for argument in node.args]
        return ast.Call(self._rewrite(node.func, depth + 1), arguments, keywords)


def _small(node: ast.Constant) -> ast.Constant:
    if type(node.value) is int and abs(node.value) > LARGEST_NUMBER:
        return ast.Constant(3 if node.value > 0 else -3)
    return ast.Constant(node.value)


def _script_body(outline: ModuleOutline) -> list[ast.stmt]:
    return outline.main_guard.body if outline.main_guard else []


def _single_assignments(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Local names that are assigned exactly once, straight in the body, with what they are assigned."""
    found: dict[str, ast.expr] = {}
    count: dict[str, int] = {}
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
                count[node.id] = count.get(node.id, 0) + 1
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            if isinstance(target, ast.Name):
                found[target.id] = statement.value
    return {name: value for name, value in found.items() if count[name] == 1}
