"""A confirmed race as a pytest file that needs racelint alone: it fails until the race is gone, and passes then."""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Iterable

from racelint.model.finding import Verdict
from racelint.report.lanes import render_lanes

WIDTH = 100
STRING_WIDTH = 96
LONGEST_NAME = 60

_FILE = '''\
"""{title}

Found by racelint: it fails while the interleaving below, or another one that racelint finds, goes wrong.
"""

import racelint

{comment}

SCHEDULE = (
{schedule}
)


def test_{name}() -> None:
    racelint.replay(SCHEDULE).check()
'''


def emitted_tests(results: Iterable[tuple[str, Verdict]]) -> dict[str, str]:
    """File names and texts, one for each target whose verdict has a schedule."""
    files = {}
    for target, verdict in results:
        if verdict.status == "confirmed" and verdict.schedule:
            name = _name(target)
            files[f"test_{name}.py"] = _text(target, verdict, name)
    return files


def _text(target: str, verdict: Verdict, name: str) -> str:
    lines = render_lanes(verdict.witness, WIDTH) if verdict.witness is not None else []
    lines += ["", f"seen:     {verdict.outcome}"]
    lines += [f"{'expected:' if not number else '      or:'} {text}" for number, text in enumerate(verdict.expected)]
    comment = "\n".join(f"# {line}".rstrip() for line in lines)
    assert verdict.schedule is not None
    parts = textwrap.wrap(verdict.schedule, STRING_WIDTH, break_on_hyphens=False)
    schedule = "\n".join(f'    "{part}"' for part in parts)
    title = _plain(f"{target}: {verdict.effect}")
    return _FILE.format(title=title, comment=comment, schedule=schedule, name=name)


def _plain(text: str) -> str:
    return text.replace("\\", "/").replace('"', "'")


def _name(target: str) -> str:
    """A name for the test that tells what it is about, and is not another target's."""
    path, _, rest = target.partition("::")
    stem = path.replace("\\", "/").rpartition("/")[2].removesuffix(".py")
    words = re.sub(r"\W+", "_", f"{stem}_{rest}").strip("_").lower()[:LONGEST_NAME].rstrip("_")
    return f"race_{words}_{hashlib.blake2b(target.encode(), digest_size=2).hexdigest()}"
