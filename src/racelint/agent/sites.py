"""Sites: the places in instrumented source where a thread may be switched, with names that hold on every version."""

from __future__ import annotations

READ = "read"
WRITE = "write"
ITEM_READ = "item-read"
ITEM_WRITE = "item-write"
CONTENTS = "contents"
ADVANCE = "advance"
CHANGE = "change"
CALL = "call"
ENTER = "enter"
NAME_READ = "name-read"
NAME_WRITE = "name-write"
TURN = "turn"
COUNT = "count"
WOKEN = "woken"
YIELD = "yield"

CHANGES_CONTENTS = frozenset({ITEM_WRITE, ADVANCE, CHANGE})
OF_CONTENTS = CHANGES_CONTENTS | {ITEM_READ, CONTENTS}
"""Of what an object holds, not of the name or field that it goes by."""


class Site:
    """One yield point. `name` is `file:function:ordinal`; lines are 1-based, `column` is 1-based too.

    `what` is the attribute, method or variable concerned, `text` the source of the expression for people.
    `last_line` is the last line of the statement that holds it.
    """

    __slots__ = ("column", "kind", "last_line", "line", "name", "number", "path", "scope", "text", "what")

    def __init__(
        self,
        number: int,
        name: str,
        kind: str,
        path: str,
        line: int,
        column: int,
        last_line: int,
        what: str,
        text: str,
        scope: str,
    ) -> None:
        self.number = number
        self.name = name
        self.kind = kind
        self.path = path
        self.line = line
        self.column = column
        self.last_line = last_line
        self.what = what
        self.text = text
        self.scope = scope


class SiteTable:
    """Every site of the instrumented files, numbered from 1 (0 stands for "no site").

    `unmarked` are path, line and name of what reaches attributes past any mark, such as `getattr`.
    """

    def __init__(self) -> None:
        self.sites: list[Site] = []
        self.by_name: dict[str, Site] = {}
        self.unmarked: list[tuple[str, int, str]] = []
        self._ordinals: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.sites) + 1

    def __getitem__(self, number: int) -> Site:
        return self.sites[number - 1]

    def add(
        self, file: str, scope: str, kind: str, path: str, position: tuple[int, int, int], what: str, text: str
    ) -> int:
        """Add a site of function `scope` and return its number; `position` is line, column, last line."""
        function = f"{file}:{scope}"
        ordinal = self._ordinals.get(function, 0) + 1
        self._ordinals[function] = ordinal
        number = len(self.sites) + 1
        line, column, last_line = position
        site = Site(number, f"{function}:{ordinal}", kind, path, line, column, last_line, what, text, scope)
        self.sites.append(site)
        self.by_name[site.name] = site
        return number


def lines_reached(sites: list[Site], visited: set[int]) -> dict[tuple[str, int], bool]:
    """For each line of the sites, whether one of its own was visited."""
    lines: dict[tuple[str, int], bool] = {}
    for site in sites:
        place = (site.path, site.line)
        lines[place] = lines.get(place, False) or site.number in visited
    return lines
