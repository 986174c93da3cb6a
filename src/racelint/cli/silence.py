"""`racelint scan --add-ignore`: write the comments that silence what was found."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from racelint.cli.replacing import write_file
from racelint.engine.add_ignore import with_ignores
from racelint.engine.own_rules import OWN_RULES
from racelint.model.finding import Finding
from racelint.report.counts import several


def add_ignores(findings: Sequence[Finding], reason: str, here: str, *, quiet: bool) -> tuple[Finding, ...]:
    """Silence each finding by a comment in its file; returns those that a comment cannot silence."""
    own = {rule.code for rule in OWN_RULES}
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.code not in own:
            by_file.setdefault(finding.path, []).append(finding)
    silenced: set[Finding] = set()
    for display, there in by_file.items():
        path = os.path.join(here, display)  # noqa: PTH118
        try:
            write_file(path, with_ignores(Path(path).read_bytes(), there, reason))
        except (OSError, UnicodeError, SyntaxError) as error:
            click.echo(f"racelint: warning: {display}: no comment added: {error}", err=True)
        else:
            silenced.update(there)
    if not quiet:
        said = f"{several(len(silenced), 'finding')} silenced in {several(len(by_file), 'file')}"
        click.echo(f"racelint: {said}", err=True)
    return tuple(finding for finding in findings if finding not in silenced)
