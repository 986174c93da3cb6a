"""What the bytes of files tell is the same from the cache, and each file's own."""

from __future__ import annotations

from pathlib import Path

from racelint.engine.cache import Cache
from racelint.engine.glance import Glance, Text, glance, glances

RELATIVE = b"from . import sibling\nimport threading\n"
TEXTS = (
    Text(RELATIVE, "one.module", False),
    Text(RELATIVE, "two.module", False),
    Text(RELATIVE, "one.module", True),
    Text(b"x = 1\n", "plain", False),
    Text(b"import queue as \xff", "undecodable", False),
)


def test_the_same_with_a_cache_and_without(tmp_path: Path) -> None:
    expected = [glance(text) for text in TEXTS]
    cache = Cache(str(tmp_path / "cache"))
    assert glances(TEXTS, cache) == glances(TEXTS, cache) == glances(TEXTS, Cache(None)) == expected
    cache.close()


def test_a_relative_import_depends_on_the_name_of_the_file() -> None:
    told = glances(TEXTS[:3], Cache(None))
    assert [each.imports[:2] for each in told] == [
        ("one", "one.sibling"),
        ("two", "two.sibling"),
        ("one.module", "one.module.sibling"),
    ]


def test_what_cannot_matter_is_told_from_what_can() -> None:
    assert glance(TEXTS[3]) == Glance((), concurrent=False, directives=False)
    assert all(glance(text).concurrent for text in (*TEXTS[:3], TEXTS[4]))


def test_comments_to_us_are_told_from_other_comments() -> None:
    for comment, told in ((b"# noqa: RL101", True), (b"# racelint: ignore", True), (b"# noqa: E501", False)):
        assert glance(Text(b"x = 1  " + comment + b"\n", "plain", False)).directives is told
