"""The JSON schema of the configuration, made from the settings; editors complete and check `racelint.toml` with it."""

from __future__ import annotations

from typing import Any

import msgspec

from racelint.config.settings import Settings


def json_schema() -> dict[str, Any]:
    """The schema of a `racelint.toml`, and of the table `[tool.racelint]`."""
    _, definitions = msgspec.json.schema_components([Settings], ref_template="#/definitions/{name}")
    settings = definitions.pop("Settings")
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **settings,
        "title": "racelint",
        "definitions": definitions,
    }
