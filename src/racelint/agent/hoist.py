"""Source transformation for RL401: take the lock once around the loop instead of at every turn."""

from __future__ import annotations

import ast
import copy

Loop = ast.For | ast.While


class NothingToHoist(Exception):
    """No loop at the flagged line takes and releases a lock at every turn."""


def hoisted(tree: ast.Module, lines: set[int]) -> ast.Module:
    """A copy of the module in which the loop around one of `lines` holds its lock throughout. Raises NothingToHoist."""
    changed = copy.deepcopy(tree)
    for parent in ast.walk(changed):
        for name, body in ast.iter_fields(parent):
            if not (isinstance(body, list) and body and isinstance(body[0], ast.stmt)):
                continue
            for index, statement in enumerate(body):
                if isinstance(statement, Loop) and _innermost(statement, lines):
                    replacement = _with_lock_outside(statement, lines)
                    if replacement is not None:
                        getattr(parent, name)[index] = ast.copy_location(replacement, statement)
                        return ast.fix_missing_locations(changed)
    raise NothingToHoist


def _innermost(loop: Loop, lines: set[int]) -> bool:
    """Whether the loop holds a flagged line (or is on one) and no loop inside it does."""
    inside = {node.lineno for node in ast.walk(loop) if isinstance(node, ast.stmt | ast.expr)}
    if not inside & lines:
        return False
    inner = [node for node in ast.walk(loop) if isinstance(node, Loop) and node is not loop]
    return not any(_innermost(node, lines) and _with_lock_outside(copy.deepcopy(node), lines) for node in inner)


def _with_lock_outside(loop: Loop, lines: set[int]) -> ast.With | None:
    lock = _strip_with(loop, lines) or _strip_calls(loop)
    if lock is None:
        return None
    return ast.With([ast.withitem(lock)], [loop])


def _strip_with(loop: Loop, lines: set[int]) -> ast.expr | None:
    """Replace `with lock: …` of the body by what it holds."""
    for index, statement in enumerate(loop.body):
        if isinstance(statement, ast.With) and len(statement.items) == 1:
            item = statement.items[0]
            spanned = set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
            if item.optional_vars is None and (spanned & lines or loop.lineno in lines):
                loop.body[index : index + 1] = statement.body
                return item.context_expr
    return None


def _strip_calls(loop: Loop) -> ast.expr | None:
    """Drop `lock.acquire()` and `lock.release()` of the body, a `finally` that only releases included."""
    lock = None
    for statement in loop.body:
        if _is_call(statement, "acquire"):
            assert isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)
            assert isinstance(statement.value.func, ast.Attribute)
            lock = statement.value.func.value
            break
    if lock is None:
        return None
    wanted = ast.unparse(lock)
    loop.body = _without(loop.body, wanted)
    return lock


def _without(body: list[ast.stmt], lock: str) -> list[ast.stmt]:
    kept: list[ast.stmt] = []
    for statement in body:
        if _is_call(statement, "acquire", lock) or _is_call(statement, "release", lock):
            continue
        if isinstance(statement, ast.Try):
            statement.finalbody = _without(statement.finalbody, lock)
            if not (statement.handlers or statement.finalbody):
                kept.extend(_without(statement.body, lock))
                continue
        kept.append(statement)
    return kept or [ast.Pass()]


def _is_call(statement: ast.stmt, method: str, holder: str = "") -> bool:
    if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call)):
        return False
    function = statement.value.func
    if not (isinstance(function, ast.Attribute) and function.attr == method):
        return False
    return not holder or ast.unparse(function.value) == holder
