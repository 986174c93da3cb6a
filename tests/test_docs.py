"""The documentation says what the code does: generated pages are fresh, and prose names only what is there."""

from __future__ import annotations

import importlib.util
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import click
import msgspec
import pytest

from racelint.cli.main import SUBCOMMANDS, cli
from racelint.config.settings import Settings
from racelint.engine.selection import rule_book

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PROSE = sorted(DOCS.glob("*.md"))
PYTEST = {"--racelint", "--racelint-path", "--racelint-explore", "--racelint-record", "--racelint-seconds"}
FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


GENERATE = load(DOCS / "generate.py")


@pytest.mark.parametrize("name", sorted(GENERATE.pages()))
def test_generated_pages_are_fresh(name: str) -> None:
    path = DOCS / name
    assert path.is_file(), "run `make docs-pages`"
    assert path.read_text(encoding="utf-8") == GENERATE.pages()[name], "run `make docs-pages`"


def test_each_rule_has_a_page_and_no_page_is_left_over() -> None:
    wanted = {"index.md", *(f"{rule.code.lower()}.md" for rule in rule_book())}
    assert {path.name for path in (DOCS / "rules").iterdir()} == wanted
    linked = re.findall(r"\]\((rl\d{3}\.md)\)", (DOCS / "rules" / "index.md").read_text(encoding="utf-8"))
    assert {*linked, "index.md"} == wanted


def named() -> Iterator[tuple[str, str, str]]:
    """Every command line in the prose: the page, the subcommand and what follows it."""
    for path in PROSE:
        for command, rest in re.findall(r"racelint (?!\d)([a-z-]+)([^`\n#|]*)", path.read_text(encoding="utf-8")):
            if command in SUBCOMMANDS:
                yield path.name, command, rest


def fences(path: Path, wanted: str) -> list[str]:
    """The code blocks of a page in one language."""
    found = FENCE.findall(path.read_text(encoding="utf-8"))
    return [dedent(text) for _, language, text in found if language == wanted]


def options_of(command: str) -> set[str]:
    found = cli.get_command(click.Context(cli), command)
    assert found is not None
    return {name for param in found.params for name in (*param.opts, *param.secondary_opts)} | {"--help"}


def test_commands_in_the_prose_take_the_options_they_are_shown_with() -> None:
    wrong = [
        f"{page}: racelint {command} {option}"
        for page, command, rest in named()
        for option in re.findall(r"(?<![\w-])(--?[a-z][a-z-]*)", rest)
        if option not in options_of(command)
    ]
    assert wrong == []


def test_options_in_the_prose_are_options() -> None:
    known = {option for command in SUBCOMMANDS for option in options_of(command)} | PYTEST
    wrong = [
        f"{path.name}: {option}"
        for path in PROSE
        for option in re.findall(r"`(--[a-z][a-z-]*)", path.read_text(encoding="utf-8"))
        if option not in known
    ]
    assert wrong == []


def test_each_command_is_shown() -> None:
    assert {command for _, command, _ in named()} >= set(SUBCOMMANDS)


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_settings_in_the_prose_are_settings(path: Path) -> None:
    for text in fences(path, "toml"):
        table = tomllib.loads(text).get("tool", {}).get("racelint")
        if table is not None:
            msgspec.convert(table, Settings)


def test_each_page_is_listed() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {name for block in re.findall(r":::\{toctree\}\n(.*?):::", index, re.DOTALL) for name in block.split()}
    assert {path.stem for path in PROSE} - {"index"} <= listed


@pytest.mark.parametrize("path", PROSE, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([\w/.-]+\.md)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).is_file(), target


def test_python_in_the_prose_compiles() -> None:
    found = [text for path in PROSE for text in fences(path, "python")]
    assert len(found) > 1
    for text in found:
        compile(text, "prose", "exec")
