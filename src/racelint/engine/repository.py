"""What git knows: which lines changed since a revision, and the Python files as they were."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from racelint.config.load import NAMES, ROOT_MARKERS
from racelint.engine.discover import SUFFIXES
from racelint.model.result import CannotScan

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
EVERY_LINE = range(1, 1 << 31)

ChangedLines = dict[str, list[range]]
"""For each file that changed, by its path below the top of the repository, the lines that are new in it."""


class NoRevision(CannotScan):
    """There is no git, no repository or no such revision; the text says which."""


class Repository:
    """The repository that a folder lies in. Raises NoRevision."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.top = os.fsdecode(self._git("rev-parse", "--show-toplevel").rstrip(b"\n"))

    def resolve(self, revision: str) -> str:
        """The commit that `revision` names. Raises NoRevision."""
        try:
            return (
                self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
                .decode()
                .strip()
            )
        except NoRevision:
            raise NoRevision(f"git knows no revision {revision!r}") from None

    def changed_since(self, commit: str) -> ChangedLines:
        """The lines that the working tree has and `commit` has not, all of a file that git does not know yet."""
        options = ("--unified=0", "--no-color", "--no-ext-diff", "--find-renames", "--src-prefix=a/", "--dst-prefix=b/")
        text = self._git("-c", "core.quotePath=false", "diff", *options, commit, "--", at_top=True)
        changed = _parse(text.decode("utf-8", "surrogateescape"))
        untracked = self._git("ls-files", "--others", "--exclude-standard", "-z", at_top=True)
        changed |= {os.fsdecode(name): [EVERY_LINE] for name in untracked.split(b"\0") if name}
        return changed

    def lay_out(self, commit: str, folder: str) -> None:
        """Write the Python files of `commit`, and what marks the top of a project, below `folder`."""
        listing = self._git("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit).split(b"\0")
        kept = [name for name in listing if _matters(os.path.basename(os.fsdecode(name)))]
        index = {"GIT_INDEX_FILE": os.path.join(folder, ".git-index")}
        self._git("read-tree", commit, env=index, at_top=True)
        prefix = f"--prefix={folder}{os.sep}"
        command = ("checkout-index", "--force", "-z", "--stdin", prefix)
        self._git(*command, env=index, at_top=True, given=b"\0".join(kept))
        os.mkdir(os.path.join(folder, ".git"))  # marks the top, as it does in the original

    def _git(
        self, *arguments: str, env: dict[str, str] | None = None, at_top: bool = False, given: bytes = b""
    ) -> bytes:
        environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", **(env or {})}
        folder = self.top if at_top else self._folder
        try:
            import subprocess

            done = subprocess.run(["git", *arguments], cwd=folder, env=environ, input=given, capture_output=True)
        except OSError as error:
            raise NoRevision(f"cannot run git: {(error.strerror or str(error)).lower()}") from None
        if done.returncode:
            complaint = done.stderr.decode(errors="replace").strip().splitlines()
            raise NoRevision(complaint[-1].removeprefix("fatal: ") if complaint else f"git {arguments[0]} failed")
        return done.stdout


def _matters(name: str) -> bool:
    return name.endswith(SUFFIXES) or name in NAMES or name in ROOT_MARKERS


def _parse(diff: str) -> ChangedLines:
    """The new lines of each file in a diff without context."""
    changed: ChangedLines = {}
    lines: list[range] = []
    for line in _headers(diff):
        if line.startswith("+++ "):
            path = _unquoted(line[4:].rstrip("\t"))
            lines = changed.setdefault(path[2:], []) if path.startswith("b/") else []
        elif match := _HUNK.match(line):
            start, length = int(match[1]), int(match[2] or 1)
            lines.append(range(start, start + length))
    return changed


def _headers(diff: str) -> Iterator[str]:
    """The lines of a diff that are no lines of a file."""
    left = 0
    for line in diff.split("\n"):
        if left > 0 and line[:1] in ("+", "-"):
            left -= 1
            continue
        if line.startswith("@@ "):
            numbers = re.findall(r"[-+]\d+(?:,(\d+))?", line.split(" @@")[0])
            left = sum(int(number or 1) for number in numbers)
        yield line


def _unquoted(path: str) -> str:
    """A path as git writes it: in quotes where it holds a character that would confuse."""
    if not path.startswith('"'):
        return path
    return path[1:-1].encode("latin-1", "backslashreplace").decode("unicode_escape")
