"""`racelint rule`: what a rule flags, why, and how to put it right."""

from __future__ import annotations

from typing import Any

import click

from racelint.cli import completion
from racelint.cli.exploring import result_format_option
from racelint.cli.output import deliver
from racelint.cli.sections import SectionedCommand, option, section
from racelint.engine.selection import nearest_code, rule_book
from racelint.rules.base import Rule


@click.command(cls=SectionedCommand)
@click.argument("codes", nargs=-1, metavar="[CODE]...", shell_complete=completion.codes)
@section("Rules", option("--all", "everything", is_flag=True, help="Every rule, in a line each."))
@section("Result", result_format_option)
def command(codes: tuple[str, ...], everything: bool, output_format: str) -> int:
    """Explain the rules named by CODE (RL101) or by name (unguarded-mutation)."""
    rules = rule_book()
    if not codes and not everything:
        raise click.UsageError("give a CODE, or --all")
    wanted = list(rules) if everything else [_find(code, rules) for code in codes]
    if output_format == "json":
        from racelint.report.json import encode

        objects = [_as_object(rule) for rule in wanted]
        deliver(encode(objects if everything or len(objects) > 1 else objects[0]))
    elif everything:
        deliver("".join(f"{rule.code}  {rule.name:<28} {rule.severity:<8} {rule.summary}\n" for rule in wanted))
    else:
        deliver("\n".join(_as_text(rule) for rule in wanted))
    return 0


def _find(code: str, rules: tuple[Rule, ...]) -> Rule:
    for rule in rules:
        if code.upper() == rule.code or code.lower() == rule.name:
            return rule
    import difflib

    close = difflib.get_close_matches(code.lower(), [rule.name for rule in rules], n=1)
    hint = f"; did you mean {close[0]}?" if close else nearest_code(code, [rule.code for rule in rules])
    raise click.UsageError(f"unknown rule {code!r}{hint}")


def _as_object(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "name": rule.name,
        "severity": rule.severity,
        "summary": rule.summary,
        "default_on": rule.default_on,
        "confirmable": rule.confirmable,
        "fixable": bool(_fix(rule)),
        "fix": _fix(rule),
        "documentation": rule.docstring,
    }


def _fix(rule: Rule) -> str:
    from racelint.fixes.registry import fix_words

    return fix_words(rule.code)


def _as_text(rule: Rule) -> str:
    traits: list[str] = [rule.severity]
    traits.append("on by default" if rule.default_on else "off by default")
    if rule.confirmable:
        traits.append("can be confirmed")
    fix = _fix(rule)
    if fix:
        traits.append("has a fix")
    section = f"\n## How it is fixed\n{fix}\n" if fix else ""
    return f"{rule.code} {rule.name} ({', '.join(traits)})\n\n{rule.docstring}\n{section}"
