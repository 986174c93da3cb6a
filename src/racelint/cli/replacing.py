"""Writing a file in one step, so that nobody ever finds half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click


def write_file(path: str, data: bytes) -> None:
    """Replace the file at `path` in one step: whoever interrupts us finds the old one or the new one whole.

    Raises click.ClickException where it cannot be written.
    """
    target = Path(path)
    try:
        if target.exists() and not target.is_file():  # a device or a pipe
            target.write_bytes(data)
            return
        target = target.resolve()
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
            Path(name).chmod(target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror or error}") from None


def _umask() -> int:
    """What the user forbids of new files; there is no way to ask but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
