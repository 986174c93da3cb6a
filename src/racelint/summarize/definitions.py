"""Functions, lambdas, classes and imports: what a body defines."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from racelint.model.summary import ClassDef, Decorator, Function, Import, Parameter, Path, Value
from racelint.summarize.body import Body
from racelint.summarize.environment import Operand
from racelint.summarize.expressions import lower
from racelint.syntax.scopes import parameters_of


def define_function(body: Body, node: cst.FunctionDef) -> None:
    """Lower a `def` into a function of its own and bind its name here."""
    decorators = _decorators(body, node.decorators)
    qualname = body.context.unique(body.inner_prefix() + node.name.value)
    scope = body.context.scopes.scope_of(node)
    params = _parameters(body, node.params)
    inner = body.child(scope, qualname, "function", frozenset(param.name for param in params))
    from racelint.summarize.statements import annotation_paths, lower_block

    returns = annotation_paths(body, node.returns)
    position = len(body.context.functions)
    lower_block(inner, node.body)
    function = Function(
        qualname,
        node.name.value,
        "function",
        body.qualname if body.kind == "class" else "",
        "" if body.kind in ("class", "module") else body.qualname,
        params,
        decorators,
        tuple(inner.out),
        body.span(node),
        body.span(node.name),
        node.asynchronous is not None,
        inner.is_generator,
        returns,
        inner.hints,
    )
    body.context.functions.insert(position, function)
    if body.kind != "module":
        _bind(body, node.name, ((f"fn:{qualname}",),))


def define_lambda(body: Body, node: cst.Lambda) -> Operand:
    """Lower a lambda into a function of its own; returns what denotes it."""
    span = body.span(node)
    qualname = body.context.unique(f"{body.inner_prefix()}<lambda>")
    scope = body.context.scopes.scope_of(node)
    params = _parameters(body, node.params)
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


def define_class(body: Body, node: cst.ClassDef) -> None:
    """Lower a `class`: its body is a function of kind `class` that runs where it stands."""
    decorators = _decorators(body, node.decorators)
    bases = tuple(lower(body, base.value).value for base in node.bases if not base.star)
    metaclass: Value = ()
    for keyword in node.keywords:
        operand = lower(body, keyword.value)
        if keyword.keyword is not None and keyword.keyword.value == "metaclass":
            metaclass = operand.value
    qualname = body.context.unique(body.inner_prefix() + node.name.value)
    inner = body.child(body.context.scopes.scope_of(node), qualname, "class", frozenset())
    from racelint.summarize.statements import lower_block

    position = len(body.context.functions)
    lower_block(inner, node.body)
    methods = _methods(body, qualname)
    parent = "" if body.kind == "module" else body.qualname
    body.context.classes.append(
        ClassDef(
            qualname,
            node.name.value,
            bases,
            metaclass,
            decorators,
            methods,
            inner.hints,
            body.span(node),
            body.span(node.name),
            parent,
            _slots(node),
        )
    )
    body.context.functions.insert(
        position,
        Function(
            qualname,
            node.name.value,
            "class",
            qualname,
            parent,
            (),
            (),
            tuple(inner.out),
            body.span(node),
            body.span(node.name),
        ),
    )
    if body.kind != "module":
        _bind(body, node.name, ((f"cls:{qualname}",),))


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


def _slots(node: cst.ClassDef) -> tuple[str, ...]:
    for line in node.body.body:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if not isinstance(small, cst.Assign) or not isinstance(small.targets[0].target, cst.Name):
                continue
            if small.targets[0].target.value == "__slots__" and isinstance(small.value, (cst.Tuple, cst.List)):
                elements = [element.value for element in small.value.elements]
                return tuple(str(e.evaluated_value) for e in elements if isinstance(e, cst.SimpleString))
    return ()


def _bind(body: Body, name: cst.Name, value: Value) -> None:
    owner = body.scope.owner_of(name.value)
    if body.kind == "class" or (owner is body.scope and name.value not in body.scope.captured):
        body.environment.assign(name.value, Operand(value))
    else:
        body.store_name(name, Operand(value))


def _decorators(body: Body, decorators: Sequence[cst.Decorator]) -> tuple[Decorator, ...]:
    found = []
    for decorator in decorators:
        expression = decorator.decorator
        if isinstance(expression, cst.Call):
            operand = lower(body, expression)
            call = body.out[-1]
            func = getattr(call, "func", operand.value)
            found.append(Decorator(func, getattr(call, "args", ()), True))
        else:
            found.append(Decorator(lower(body, expression).value))
    return tuple(found)


def _parameters(body: Body, params: cst.Parameters) -> tuple[Parameter, ...]:
    from racelint.summarize.statements import annotation_paths

    positional = set(map(id, params.posonly_params))
    keyword = set(map(id, params.kwonly_params))
    found = []
    for param in parameters_of(params):
        kind = "plain"
        if id(param) in positional:
            kind = "positional"
        elif id(param) in keyword:
            kind = "keyword"
        elif param is params.star_kwarg:
            kind = "double-star"
        elif param is params.star_arg:
            kind = "star"
        default = lower(body, param.default).value if param.default is not None else ()
        annotation = annotation_paths(body, param.annotation)
        found.append(Parameter(param.name.value, kind, annotation, default, param.default is not None))
    return tuple(found)


def import_names(body: Body, node: cst.Import | cst.ImportFrom) -> None:
    """Record what an import binds: for the module, or as a local value inside a function."""
    module, level = "", 0
    if isinstance(node, cst.ImportFrom):
        module = _dotted(node.module) if node.module is not None else ""
        level = len(node.relative)
        if isinstance(node.names, cst.ImportStar):
            _record(body, Import("*", module, "*", level))
            return
    if isinstance(node.names, cst.ImportStar):
        return
    for alias in node.names:
        name = _dotted(alias.name)
        asname = alias.asname.name.value if alias.asname and isinstance(alias.asname.name, cst.Name) else ""
        if isinstance(node, cst.ImportFrom):
            _record(body, Import(asname or name, module, name, level))
        elif asname:
            _record(body, Import(asname, name, "", 0))
        else:
            _record(body, Import(name.split(".")[0], name.split(".")[0], "", 0))
            if "." in name:
                body.context.imports.append(Import("", name, "", 0))


def _record(body: Body, entry: Import) -> None:
    owner = body.scope.owner_of(entry.name)
    if body.kind == "module" or owner is None or owner.kind == "module":
        body.context.imports.append(entry)
        return
    path: Path = (f"i:{entry.level}:{entry.module}:{entry.attribute}",)
    body.context.imports.append(Import("", entry.module, entry.attribute, entry.level))
    if entry.name in body.scope.captured:
        target = cst.Name(entry.name)
        body.store_name(target, Operand((path,)))
    body.environment.assign(entry.name, Operand((path,)))


def _dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""
