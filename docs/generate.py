"""Write the pages that are made from the code: one for each rule, their index, and the table of settings.

`make docs-pages` runs this; a test fails where what is committed differs from what this writes. With `--all` it writes
what is only made for a build, too: the commands.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from racelint.cli.main import SUBCOMMANDS, cli
from racelint.config.show import Key, keys
from racelint.engine.selection import rule_book
from racelint.fixes.registry import fix_words
from racelint.rules.base import Rule

DOCS = Path(__file__).parent
FAMILIES = {
    "RL1": "Shared state",
    "RL2": "Locks",
    "RL3": "Conditions, events, semaphores, barriers",
    "RL4": "The cost of locking",
    "RL5": "Threads and pools",
    "RL6": "Processes and shared memory",
    "RL7": "asyncio",
    "RL9": "The linter itself",
}
MARKER = "<!-- made by docs/generate.py: change the source it is made from, then run `make docs-pages` -->\n"


def pages() -> dict[str, str]:
    """The text of every generated page by its path below `docs`."""
    rules = rule_book()
    found = {f"rules/{rule.code.lower()}.md": rule_page(rule) for rule in rules}
    found["rules/index.md"] = rule_index(rules)
    found["_generated/settings.md"] = settings_table()
    found["_generated/fixes.md"] = fixes_table(rules)
    return found


def built_pages() -> dict[str, str]:
    """The pages that are not committed."""
    return {"_generated/commands.md": MARKER + "".join(_commands())}


def _commands() -> Iterator[str]:
    for name in SUBCOMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        context = click.Context(command, info_name=f"racelint {name}", terminal_width=90, max_content_width=90)
        yield f"\n## racelint {name}\n\n```text\n{command.get_help(context)}\n```\n"


def rule_page(rule: Rule) -> str:
    """The page of one rule: its docstring, and what is known of it beside that."""
    lead, _, body = rule.docstring.partition("\n")
    facts = {
        "Severity": rule.severity,
        "On by default": "yes" if rule.default_on else "no",
        "Can be confirmed": "yes" if rule.confirmable else "no",
        "Has a fix": "yes" if fix_words(rule.code) else "no",
        "Since": rule.since,
    }
    table = "".join(f":{name}: {value}\n" for name, value in facts.items())
    fix = fix_words(rule.code)
    body = f"{body.strip()}\n\n## How it is fixed\n{fix}" if fix else body
    silence = f"## Silence it\nOn the line, with a reason: `# racelint: ignore[{rule.code}] why`."
    return f"# {rule.code} {rule.name}\n\n{MARKER}\n{lead}\n\n{table}\n{_spaced(body.strip())}\n\n{_spaced(silence)}\n"


def _spaced(markdown: str) -> str:
    """An empty line after each heading and around each fence, as Markdown wants it."""
    return re.sub(r"^(## .+)\n(?!\n)", r"\1\n\n", markdown, flags=re.MULTILINE)


def rule_index(rules: tuple[Rule, ...]) -> str:
    """All rules by family."""
    return "".join(
        [
            "# Rules\n\n",
            MARKER,
            "\nCodes never change their meaning. `racelint rule CODE` says the same on the command line.\n",
            *(_family(prefix, title, rules) for prefix, title in FAMILIES.items()),
            "\n:::{toctree}\n:hidden:\n:titlesonly:\n\n",
            *(f"{rule.code.lower()}\n" for rule in rules),
            ":::\n",
        ]
    )


def _family(prefix: str, title: str, rules: tuple[Rule, ...]) -> str:
    rows = [
        f"| {_link(rule)} | {rule.name} | {rule.severity} | {_traits(rule)} | {rule.summary} |\n"
        for rule in rules
        if rule.code.startswith(prefix)
    ]
    head = "| code | name | severity | | what it flags |\n|---|---|---|---|---|\n"
    return f"\n## {prefix} {title}\n\n{head}{''.join(rows)}" if rows else ""


def _link(rule: Rule) -> str:
    return f"[{rule.code}]({rule.code.lower()}.md)"


def _traits(rule: Rule) -> str:
    traits = {"confirm": rule.confirmable, "fix": bool(fix_words(rule.code)), "off": not rule.default_on}
    return ", ".join(name for name, has in traits.items() if has)


def fixes_table(rules: tuple[Rule, ...]) -> str:
    """What the fix of each rule does, in a sentence or two: the first paragraph of its words."""
    words = {rule: fix_words(rule.code).partition("\n\n")[0].replace("\n", " ") for rule in rules}
    rows = [f"| [{rule.code}](rules/{rule.code.lower()}.md) | {text} |\n" for rule, text in words.items() if text]
    return f"{MARKER}\n| rule | what the fix does |\n|---|---|\n{''.join(rows)}"


def settings_table() -> str:
    """Every setting with what it holds."""
    return MARKER + "".join(_settings(keys()))


def _settings(known: Iterator[Key]) -> Iterator[str]:
    for key in known:
        yield f"\n### `{key.name}`\n\n{key.description}\n\n"
        default = key.default if key.default == "not set" else f"`{key.default}`"
        yield f":Holds: {_coded(key.kind)}\n:Default: {default}\n"
        if key.example:
            table, _, name = key.name.rpartition(".")
            heading = f"[tool.racelint.{table}]" if table else "[tool.racelint]"
            yield f"\n```toml\n{heading}\n{name} = {key.example}\n```\n"


def _coded(kind: str) -> str:
    return " or ".join(f"`{part}`" for part in kind.split(" | ")) if '"' in kind else kind.replace(" | ", " or ")


def main() -> None:
    wanted = {**pages(), **(built_pages() if "--all" in sys.argv else {})}
    for path in (DOCS / "rules").glob("*.md"):
        if path.relative_to(DOCS).as_posix() not in wanted:
            path.unlink()
    for name, text in wanted.items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
