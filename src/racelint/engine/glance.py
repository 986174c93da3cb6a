"""What the bytes of a file tell before anything is parsed: what it may import, and whether it mentions concurrency.

Looking through a million lines takes longer than all else that a warm scan does, so what was seen is remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import msgspec

from racelint.engine.cache import Cache, content_key, key_of
from racelint.engine.fingerprint import fingerprint
from racelint.engine.prescan import mentions_concurrency, mentions_directive


class Text(msgspec.Struct, frozen=True, dict=True):
    """The bytes of one file, under the name that relative imports start from."""

    source: bytes
    module: str
    is_package: bool

    @cached_property
    def digest(self) -> bytes:
        """A name for what the file holds."""
        return content_key(self.source)


class Glance(msgspec.Struct, array_like=True, frozen=True):
    """What one file tells: dotted names that it may import, in order of first mention; whether comments speak to us."""

    imports: tuple[str, ...]
    concurrent: bool
    directives: bool


def glance(text: Text) -> Glance:
    """Look through one file."""
    from racelint.engine.imports import imported_names  # what a scan of known files never needs

    names = imported_names(text.source, text.module, is_package=text.is_package)
    return Glance(names, mentions_concurrency(text.source), mentions_directive(text.source))


def glances(texts: Sequence[Text], cache: Cache) -> list[Glance]:
    """What each of some files tells, in their order."""
    keys = [key_of(fingerprint(), f"glance with directives {t.module} {t.is_package}", t.digest) for t in texts]
    decoder = msgspec.msgpack.Decoder(Glance)
    known = {key: decoder.decode(value) for key, value in cache.get(keys).items()}
    fresh = {key: glance(text) for key, text in zip(keys, texts, strict=True) if key not in known}
    cache.put({key: msgspec.msgpack.encode(each) for key, each in fresh.items()})
    known |= fresh
    return [known[key] for key in keys]
