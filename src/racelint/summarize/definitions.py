"""Functions, lambdas, classes and imports: what a body defines."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from racelint.model.summary import ClassDef, Decorator, Function, Import, Parameter, Path, Span, Value
from racelint.summarize.body import Body
from racelint.summarize.dispatch import lower, lowers
from racelint.summarize.environment import Operand
from racelint.syntax.scopes import parameters_of


def define_function(body: Body, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Lower a `def` into a function of its own and bind its name here."""
    decorators = _decorators(body, node.decorator_list)
    qualname = body.context.unique(body.inner_prefix() + node.name)
    scope = body.context.scopes.scope_of(node)
    params = _parameters(body, node.args)
    inner = body.child(scope, qualname, "function", frozenset(param.name for param in params))
    if body.kind == "class" and params and params[0].kind in ("plain", "positional"):
        inner.own_object = params[0].name
    from racelint.summarize.annotations import annotation_paths
    from racelint.summarize.statements import lower_block

    returns = annotation_paths(body, node.returns)
    position = len(body.context.functions)
    lower_block(inner, node.body)
    span = body.span(node)
    name_span = body.context.names.of(node, span)
    function = Function(
        qualname,
        node.name,
        "function",
        body.qualname if body.kind == "class" else "",
        "" if body.kind in ("class", "module") else body.qualname,
        params,
        decorators,
        tuple(inner.out),
        span,
        name_span,
        isinstance(node, ast.AsyncFunctionDef),
        inner.is_generator,
        returns,
        inner.hints,
    )
    body.context.functions.insert(position, function)
    if body.kind != "module":
        _bind(body, node.name, name_span, ((f"fn:{qualname}",),))


@lowers(ast.Lambda)
def define_lambda(body: Body, node: ast.Lambda) -> Operand:
    """Lower a lambda into a function of its own; returns what denotes it."""
    span = body.span(node)
    qualname = body.context.unique(f"{body.inner_prefix()}<lambda>")
    scope = body.context.scopes.scope_of(node)
    params = _parameters(body, node.args)
    inner = body.child(scope, qualname, "lambda", frozenset(param.name for param in params))
    from racelint.model.summary import Return

    position = len(body.context.functions)
    result = lower(inner, node.body)
    inner.out.append(Return(span, result.value, result.deps))
    parent = "" if body.kind in ("class", "module") else body.qualname
    function = Function(
        qualname, "<lambda>", "lambda", "", parent, params, (), tuple(inner.out), span, span, False, inner.is_generator
    )
    body.context.functions.insert(position, function)
    return Operand(((f"fn:{qualname}",),))


def define_class(body: Body, node: ast.ClassDef) -> None:
    """Lower a `class`: its body is a function of kind `class` that runs where it stands."""
    decorators = _decorators(body, node.decorator_list)
    bases = tuple(lower(body, base).value for base in node.bases if not isinstance(base, ast.Starred))
    metaclass: Value = ()
    for keyword in node.keywords:
        operand = lower(body, keyword.value)
        if keyword.arg == "metaclass":
            metaclass = operand.value
    qualname = body.context.unique(body.inner_prefix() + node.name)
    span = body.span(node)
    name_span = body.context.names.of(node, span)
    inner = body.child(body.context.scopes.scope_of(node), qualname, "class", frozenset())
    from racelint.summarize.statements import lower_block

    position = len(body.context.functions)
    lower_block(inner, node.body)
    methods = _methods(body, qualname)
    parent = "" if body.kind == "module" else body.qualname
    body.context.classes.append(
        ClassDef(
            qualname,
            node.name,
            bases,
            metaclass,
            decorators,
            methods,
            inner.hints,
            span,
            name_span,
            parent,
            _slots(node),
        )
    )
    body.context.functions.insert(
        position,
        Function(
            qualname,
            node.name,
            "class",
            qualname,
            parent,
            (),
            (),
            tuple(inner.out),
            span,
            name_span,
        ),
    )
    if body.kind != "module":
        _bind(body, node.name, name_span, ((f"cls:{qualname}",),))


def _methods(body: Body, qualname: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for function in body.context.functions:
        if function.cls == qualname and function.kind == "function":
            found[method_key(function)] = function.qualname
    return found


def method_key(function: Function) -> str:
    """The method's name; `name.setter` and `name.deleter` for those of a property."""
    for decorator in function.decorators:
        for path in decorator.value:
            if len(path) >= 2 and path[-1] in ("setter", "deleter") and path[-2].split(":")[-1] == function.name:
                return f"{function.name}.{path[-1]}"
    return function.name


def _slots(node: ast.ClassDef) -> tuple[str, ...]:
    for statement in node.body:
        if not isinstance(statement, ast.Assign) or not isinstance(statement.targets[0], ast.Name):
            continue
        if statement.targets[0].id == "__slots__" and isinstance(statement.value, (ast.Tuple, ast.List)):
            values = [element.value for element in statement.value.elts if isinstance(element, ast.Constant)]
            return tuple(value for value in values if isinstance(value, str))
    return ()


def _bind(body: Body, name: str, span: Span, value: Value) -> None:
    if body.kind == "class" or (body.owner_of(name) is body.scope and name not in body.scope.captured):
        body.environment.assign(name, Operand(value))
    else:
        body.store_name(name, span, Operand(value))


def _decorators(body: Body, decorators: Sequence[ast.expr]) -> tuple[Decorator, ...]:
    found = []
    for expression in decorators:
        operand = lower(body, expression)
        if isinstance(expression, ast.Call):
            call = body.out[-1]
            func = getattr(call, "func", operand.value)
            found.append(Decorator(func, getattr(call, "args", ()), True))
        else:
            found.append(Decorator(operand.value))
    return tuple(found)


def _parameters(body: Body, arguments: ast.arguments) -> tuple[Parameter, ...]:
    from racelint.summarize.annotations import annotation_paths

    found = []
    for kind, argument, default in parameters_of(arguments):
        value = lower(body, default).value if default is not None else ()
        annotation = annotation_paths(body, argument.annotation)
        found.append(Parameter(argument.arg, kind, annotation, value, default is not None))
    return tuple(found)


def import_names(body: Body, node: ast.Import | ast.ImportFrom) -> None:
    """Record what an import binds: for the module, or as a local value inside a function."""
    for alias in node.names:
        name, asname = alias.name, alias.asname
        if isinstance(node, ast.ImportFrom):
            _record(body, Import(asname or name, node.module or "", name, node.level), alias)
        elif asname:
            _record(body, Import(asname, name, "", 0), alias)
        else:
            top = name.partition(".")[0]
            _record(body, Import(top, top, "", 0), alias)
            if "." in name:
                body.context.imports.append(Import("", name, "", 0))


def _record(body: Body, entry: Import, node: ast.alias) -> None:
    owner = body.owner_of(entry.name)
    if body.kind == "module" or owner is None or owner.kind == "module":
        body.context.imports.append(entry)
        return
    path: Path = (f"i:{entry.level}:{entry.module}:{entry.attribute}",)
    body.context.imports.append(Import("", entry.module, entry.attribute, entry.level))
    if entry.name in body.scope.captured:
        body.store_name(entry.name, body.span(node), Operand((path,)))
    body.environment.assign(entry.name, Operand((path,)))
