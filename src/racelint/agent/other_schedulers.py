"""Libraries that switch threads or tasks past the controller: named, or refused where they leave it nothing."""

from __future__ import annotations

import sys

SWITCHING = ("gevent", "eventlet", "trio", "curio", "uvloop")
PATCHES = (("gevent.monkey", "saved"), ("eventlet.patcher", "already_patched"))
"""Where each library notes what it has replaced of the standard library."""


def patched() -> str:
    """Why the target's threads cannot be controlled, empty where they can."""
    for module, record in PATCHES:
        if getattr(sys.modules.get(module), record, None):
            library = module.partition(".")[0]
            return f"{library} has replaced `threading` and switches greenlets itself: its threads are out of control"
    return ""


def switching() -> list[str]:
    """What is imported and switches past the controller, in words."""
    return [f"{name} switches what it runs itself" for name in SWITCHING if name in sys.modules]
