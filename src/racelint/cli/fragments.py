"""Options whose values are Python: read, and refused where they are none, before anything runs."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import click


class Expression(click.ParamType[str]):
    """A Python expression."""

    name = "expression"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        try:
            ast.parse(text, mode="eval")
        except (SyntaxError, ValueError) as error:
            self.fail(f"`{text}` is no Python expression: {_said(error)}", param, ctx)
        return text


class Statements(click.ParamType[str]):
    """Python statements, or the path of a file that holds some."""

    name = "statements"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text, kind = str(value), "neither a file nor Python statements"
        try:
            if text.endswith(".py") and not Path(text).exists():
                self.fail(f"there is no file {text}", param, ctx)
            if "\n" not in text and Path(text).is_file():
                text, kind = Path(text).read_text(encoding="utf-8"), "a file, but no Python"
            ast.parse(text)
        except OSError as error:
            self.fail(f"{value}: {error.strerror or error}", param, ctx)
        except (SyntaxError, ValueError) as error:
            self.fail(f"`{value}` is {kind}: {_said(error)}", param, ctx)
        return text.strip()


def _said(error: Exception) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)
