"""The lock is made at import; one function forgets it."""
# target: register,forget
# expect: confirmed lost-update

import threading

_lock = threading.Lock()
_registered = 0


def register():
    global _registered
    with _lock:
        _registered += 1


def forget():
    global _registered
    _registered -= 1
