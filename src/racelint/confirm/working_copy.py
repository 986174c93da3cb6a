"""A copy of a project in which some files have other contents: the rest is linked to, and nothing is changed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def working_copy(root: Path, files: Mapping[Path, bytes]) -> Iterator[Path]:
    """A folder that looks like the project at `root`, with `files` (absolute, below `root`) written anew; gone after.

    Only the folders on the way to these files are real; all else in them is a link into the project.
    """
    inside = {path.relative_to(root): content for path, content in files.items() if path.is_relative_to(root)}
    folders = {parent for path in inside for parent in path.parents}
    with tempfile.TemporaryDirectory(prefix="racelint-copy-") as scratch:
        top = Path(scratch).resolve() / (root.name or "project")
        for folder in sorted(folders | {Path()}):
            (top / folder).mkdir()
            for entry in os.scandir(root / folder):
                relative = folder / entry.name
                if relative not in inside and relative not in folders:
                    (top / relative).symlink_to(entry.path)
        for relative, content in inside.items():
            (top / relative).write_bytes(content)
        yield top
