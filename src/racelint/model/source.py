"""The files of a scan, as the linker sees them."""

from __future__ import annotations

import msgspec


class SourceFile(msgspec.Struct, frozen=True):
    """One Python file in the scope of a scan.

    `path` is absolute, `display` is what findings show: relative to the working directory where the file lies under
    it, with forward slashes. `module` is the dotted name that other files of the scan import it by, unique in a scan.
    `reported` files were asked for on the command line; the others are analysed with them and stay silent.
    `renamed` maps a name as this file imports it to the `module` it means, where the two differ (two scripts that
    each import the `tool.py` beside them).
    """

    path: str
    display: str
    module: str
    reported: bool
    renamed: dict[str, str] = {}
