"""A name for this racelint: values that another one worked out do not count."""

from __future__ import annotations

import os
import sys
from functools import cache
from hashlib import blake2b

import racelint
from racelint.rules.registry import plugins

_LEFT_OUT = frozenset({"agent", "cli", "confirm", "report", "fixes", "__pycache__"})
"""Parts that no summary and no finding depends on."""


@cache
def fingerprint() -> str:
    """The version, the Python that runs it and the plugins; a working copy goes by what its files hold."""
    name = f"{racelint.__version__} {sys.version_info.major}.{sys.version_info.minor} {plugins()}"
    package = os.path.dirname(os.path.abspath(racelint.__file__))
    if f"{os.sep}site-packages{os.sep}" in package:
        return name
    return f"{name} {_contents(package)}"


def _contents(package: str) -> str:
    digest = blake2b(digest_size=8)
    for folder, folders, files in os.walk(package):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
        for name in sorted(files):
            path = os.path.join(folder, name)
            with open(path, "rb") as stream:
                digest.update(os.path.relpath(path, package).encode() + b"\0" + stream.read())
    return digest.hexdigest()
