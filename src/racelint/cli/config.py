"""`racelint config`: what can be configured, key by key."""

from __future__ import annotations

import click

from racelint.cli import completion
from racelint.cli.output import deliver
from racelint.cli.sections import SectionedCommand, option, section
from racelint.config.check import nearest
from racelint.config.schema import json_schema
from racelint.config.show import Key, keys


@click.command(cls=SectionedCommand)
@click.argument("names", nargs=-1, metavar="[KEY]...", shell_complete=completion.keys)
@section("Result", option("--schema", is_flag=True, help="The JSON schema of racelint.toml, for editors."))
def command(names: tuple[str, ...], schema: bool) -> int:
    """Explain the settings named by KEY (`per-file-ignores`, `confirm.budget`), or list them all.

    They stand in racelint.toml, or under [tool.racelint] in pyproject.toml; the closest file holds.
    """
    if schema:
        from racelint.report.json import encode

        deliver(encode(json_schema()))
        return 0
    known = {key.name: key for key in keys()}
    for name in names:
        if name not in known and not any(key.startswith(f"{name}.") for key in known):
            raise click.UsageError(f"unknown key `{name}`{nearest(name, known)}")
    if not names:
        width = max(map(len, known))
        deliver("".join(f"{key.name:<{width}}  {key.description.partition('. ')[0]}\n" for key in known.values()))
        return 0
    wanted = [key for name in names for key in known.values() if key.name == name or key.name.startswith(f"{name}.")]
    deliver("\n".join(map(_explained, wanted)))
    return 0


def _explained(key: Key) -> str:
    example = f"Example:  {key.name} = {key.example}\n" if key.example else ""
    return f"{key.name}\n\n{key.description}\n\nHolds:    {key.kind}\nDefault:  {key.default}\n{example}"
