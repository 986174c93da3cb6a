"""Rows of a table that each thread has for itself, since it chooses them by a key that no other thread has."""

from __future__ import annotations

from racelint.knowledge.threads import OF_ONE_CONNECTION
from racelint.model.summary import ELEMENT, Path
from racelint.program.flow.values import Stores
from racelint.program.names.index import FunctionInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.sharing.shared import SharedAccess


class OwnRows:
    """Answers for the elements of containers."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores

    def apart(self, left: SharedAccess, right: SharedAccess, root: ThreadRoot) -> bool:
        """Elements that the thread's argument chooses, which is the running number of the loop that starts it."""
        return self._is_chosen(left, root) and self._is_chosen(right, root)

    def of_connections(self, left: SharedAccess, right: SharedAccess) -> bool:
        """`self.server.clients[self.client_address]` in request handlers, each of which has a connection of its own."""
        return _has_key_of_connection(left) and _has_key_of_connection(right)

    def is_row_of_connection(self, path: Path, function: FunctionInfo) -> bool:
        """Whether the elements at the path that a request handler takes are those under its connection's key."""
        if path[-1] != ELEMENT:
            return False
        taken = [a for a in self.stores.facts[function.id].accesses if a.path == path and a.kind == "read"]
        return bool(taken) and all(_is_of_connection(access.key, function) for access in taken)

    def _is_chosen(self, access: SharedAccess, root: ThreadRoot) -> bool:
        if access.function is not root.target or not access.location.content:
            return False
        return any(self._is_number_of_thread(root, key) for key in (access.key, access.outer_key) if key)

    def _is_number_of_thread(self, root: ThreadRoot, name: str) -> bool:
        if root.site_function is None:
            return False
        facts = self.stores.facts[root.site_function.id]
        for path in root.bindings.get(name, ()):
            call = facts.made_by(path)
            if call is not None and any(func in (("g:range",), ("g:enumerate",)) for func in call.func):
                return True
        return False


def _has_key_of_connection(access: SharedAccess) -> bool:
    keys = (access.key, access.outer_key)
    return access.location.content and any(_is_of_connection(key, access.function) for key in keys)


def _is_of_connection(key: str, function: FunctionInfo) -> bool:
    """`self.client_address`: what a server gives to the handler of one connection alone."""
    own, _, name = key.partition(".")
    if not name or function.cls is None or own != function.self_name:
        return False
    return any(name in OF_ONE_CONNECTION.get(base, ()) for base in function.cls.all_external_bases())
