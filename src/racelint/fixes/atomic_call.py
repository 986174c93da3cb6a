"""A check and what it decides as one call that does both in one step: `setdefault`, `pop` with a default, `discard`."""

from __future__ import annotations

import libcst as cst

from racelint.fixes.base import Proposal
from racelint.fixes.draft import Draft
from racelint.fixes.expressions import expression, is_loud
from racelint.fixes.kept_comments import comments_below, lines_below
from racelint.fixes.statements import alone, comments_of, lone_branch, only_call
from racelint.model.summary import ELEMENT
from racelint.program.objects.things import Object
from racelint.program.races.suspects import Suspect
from racelint.program.sharing.compounds import Compound
from racelint.syntax.edits import Rewriting, Statement, Tree
from racelint.syntax.nodes import nodes_within

_DICTS = frozenset({"builtins.dict", "collections.defaultdict", "collections.OrderedDict"})
_LITERALS = (cst.SimpleString, cst.ConcatenatedString, cst.Integer, cst.Float, cst.Imaginary)
_VARYING = (cst.Name, cst.Call, cst.Subscript, cst.FormattedString, cst.Await, cst.Yield, cst.BaseComp)
_PLAIN = ("list", "dict", "set", "int", "str", "tuple", "deque", "Counter", "OrderedDict")


def atomic_call(draft: Draft, suspect: Suspect) -> Proposal | None:
    """`if k not in d: d[k] = []` as `d.setdefault(k, [])`, `if k in d: del d[k]` as `d.pop(k, None)`.

    None where the code has another shape, or where a lock guards the container or is wanted for more than this.
    """
    compound = suspect.compound
    subject = str(suspect.group.location)
    if compound is None or suspect.guard is not None or suspect.group.owner_locks:
        return None
    if sum(finding.subject == subject for finding in draft.findings) != 1:
        return None
    tree = draft.tree(compound.function.module.source.display)
    branch = lone_branch(tree, compound.check_span)
    if branch is None:
        return None
    key, container = _asked(branch.test)
    if key is None or container is None or is_loud(key) or is_loud(container) or not _is_dict(draft, compound):
        return None
    done = branch.body.body[0]
    small = alone(done) or done
    element = f"{tree.spelled(container)}[{tree.spelled(key)}]"
    call = _in_one_step(tree, branch.test, small, element, container, key)
    return _proposal(tree, branch, done, call, element) if call is not None else None


def _asked(test: cst.BaseExpression) -> tuple[cst.BaseExpression | None, cst.BaseExpression | None]:
    """The key and the container of `key in container` and its opposite."""
    if isinstance(test, cst.Comparison) and len(test.comparisons) == 1:
        target = test.comparisons[0]
        if isinstance(target.operator, (cst.In, cst.NotIn)):
            return test.left, target.comparator
    return None, None


def _is_dict(draft: Draft, compound: Compound) -> bool:
    path = compound.act.path[: len(compound.act.path) - compound.act.location.fields.count(ELEMENT)]
    things = draft.program.types.of(path, compound.function)
    return bool(things) and all(isinstance(thing, Object) and thing.dotted in _DICTS for thing in things)


def _in_one_step(
    tree: Tree,
    test: cst.BaseExpression,
    small: cst.CSTNode,
    element: str,
    container: cst.BaseExpression,
    key: cst.BaseExpression,
) -> cst.Call | None:
    assert isinstance(test, cst.Comparison)
    absent = isinstance(test.comparisons[0].operator, cst.NotIn)
    stored = small.targets[0].target if isinstance(small, cst.Assign) and len(small.targets) == 1 else None
    if absent and isinstance(small, cst.Assign) and stored is not None:
        cheap = tree.spelled(stored) == element and _is_cheap(small.value)
        return _method(container, "setdefault", key, small.value) if cheap else None
    if not absent and isinstance(small, cst.Del) and tree.spelled(small.target) == element:
        return _method(container, "pop", key, cst.Name("None"))
    return None


def _is_cheap(value: cst.BaseExpression) -> bool:
    """Made anew each time, also where it is not needed, it costs nothing, nobody sees it, and it cannot fail."""
    if isinstance(value, cst.Call):
        return isinstance(value.func, cst.Name) and value.func.value in _PLAIN and not value.args
    if isinstance(value, (cst.Tuple, cst.List)):
        return all(isinstance(one, cst.Element) and _is_cheap(one.value) for one in value.elements)
    if isinstance(value, cst.Dict):
        return all(
            isinstance(one, cst.DictElement) and isinstance(one.key, _LITERALS) and _is_cheap(one.value)
            for one in value.elements
        )
    if isinstance(value, cst.Set):
        return all(isinstance(one.value, _LITERALS) for one in value.elements)
    computed = isinstance(value, (cst.BinaryOperation, cst.UnaryOperation)) and _is_of_literals(value)
    return computed or isinstance(value, (*_LITERALS, cst.Name, cst.Attribute, cst.Lambda))


def _is_of_literals(value: cst.CSTNode) -> bool:
    """`-1`, `[0] * 8`: what it comes to is always the same."""
    nodes = [node for node in nodes_within(value) if isinstance(node, _VARYING)]
    return all(isinstance(node, cst.Name) and node.value in ("None", "True", "False") for node in nodes)


def _method(container: cst.BaseExpression, name: str, *values: cst.BaseExpression) -> cst.Call:
    return cst.Call(cst.Attribute(container, cst.Name(name)), [cst.Arg(value) for value in values])


def _proposal(tree: Tree, branch: cst.If, done: cst.CSTNode, call: cst.Call, element: str) -> Proposal:
    """The call in the place of the `if`, or in that of the element where the next line goes on with it."""
    rewriting = Rewriting(tree)
    block, place = tree.block(branch), tree.index(branch)
    following = block.body[place + 1] if place + 1 < len(block.body) else None
    used = _element_used(tree, following, element) if isinstance(following, cst.SimpleStatementLine) else None
    above = [*branch.leading_lines, *(comments_of(done) if isinstance(done, Statement) else ())]
    below = lines_below(branch.body)
    assert isinstance(call.func, cst.Attribute)
    if used is not None and call.func.attr.value == "setdefault":
        rewriting.replace(used, lambda updated: call)
        rewriting.splice(
            *(block, place, place + 2),
            lambda old: [old[1].with_changes(leading_lines=[*above, *below, *old[1].leading_lines])],
        )
    else:
        line = cst.SimpleStatementLine([cst.Expr(call)], leading_lines=above)
        rewriting.splice(block, place, place + 1, lambda old: [line, *comments_below(branch.body)])
    name = tree.spelled(expression(tree.spelled(call.func)))
    return Proposal(rewriting.code(), f"Check and change in one step: `{name}`")


def _element_used(tree: Tree, entry: cst.SimpleStatementLine, element: str) -> cst.BaseExpression | None:
    """The element where a line returns it, or calls a method of it."""
    small = entry.body[0]
    call = only_call(entry)
    if call is not None and isinstance(call.func, cst.Attribute) and tree.spelled(call.func.value) == element:
        return None if any(is_loud(arg.value) for arg in call.args) else call.func.value
    given = small.value if isinstance(small, cst.Return) else None
    return given if given is not None and tree.spelled(given) == element else None
