"""Comments that silence findings, as a user writes and forgets them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import race, racelint, scan_json


def codes(folder: Path, text: str, *arguments: str) -> list[str]:
    (folder / "a.py").write_text(text)
    return [f"{f['code']}:{f['line']}" for f in scan_json(*(arguments or (".",)), cwd=folder)["findings"]]


ABOVE = race().replace("        self.n += 1", "        # racelint: ignore[RL101] why\n        self.n += 1")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (race("  # racelint: ignore[RL101] only statistics"), []),
        (race("  # noqa: E501, RL101"), []),
        (ABOVE, []),
        (race() + "# racelint: file-ignore[RL1]\n", []),
        (race("  # racelint: ignore[RL101, RL104]"), ["RL901:9"]),
        (race("  # racelint: ignore[RL301]"), ["RL101:9", "RL901:9"]),
        (race("  # racelint: ignore"), ["RL101:9", "RL902:9"]),
        (race("  # racelint: ignore[RL999]"), ["RL101:9", "RL902:9"]),
        (race("  # racelint: ingore[RL101]"), ["RL101:9", "RL902:9"]),
        (race("  # noqa"), ["RL101:9"]),
        (race() + "x = 1  # noqa: RL101\n", ["RL101:9", "RL901:15"]),
        (race() + "# racelint: file-ignore[RL7]\n", ["RL101:9", "RL901:15"]),
    ],
)
def test_what_a_comment_silences_and_what_is_said_of_it(text: str, found: list[str], tmp_path: Path) -> None:
    assert codes(tmp_path, text) == found


def test_all_comments_can_be_set_aside(tmp_path: Path) -> None:
    text = race("  # racelint: ignore[RL101, RL999]") + "# racelint: ignore\n"
    assert codes(tmp_path, text, ".", "--ignore-noqa") == ["RL101:9"]


def test_silenced_findings_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race("  # racelint: ignore[RL101]"))
    answer = racelint("scan", "--output-format", "concise", cwd=tmp_path)
    assert (answer.returncode, answer.stdout) == (0, "no findings in 1 file (1 suppressed)\n")


def test_a_comment_is_not_called_unused_where_its_rule_did_not_run(tmp_path: Path) -> None:
    unused = "x = 1  # racelint: ignore[RL101]\n"
    assert codes(tmp_path, unused) == ["RL901:1"]
    assert codes(tmp_path, unused, ".", "--ignore", "RL101") == []
    assert codes(tmp_path, unused, ".", "--per-file-ignores", "a.py:RL1") == []
    assert codes(tmp_path, unused, ".", "--ignore", "RL901") == []


def test_a_comment_is_not_called_unused_where_a_thread_elsewhere_may_need_it(tmp_path: Path) -> None:
    counter = "class Counter:\n    n = 0\n\n    def add(self):\n        self.n += 1  # racelint: ignore[RL101] ok\n"
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "app.py").write_text(
        "import threading\nfrom a import Counter\n\nc = Counter()\n" + "threading.Thread(target=c.add).start()\n" * 2
    )
    assert codes(tmp_path, counter) == []
    assert codes(tmp_path, counter, "a.py") == [], "alone, it does not see the thread"
    assert codes(tmp_path, counter, "a.py", "--scope", "project") == []
    (tmp_path / "app.py").unlink()
    assert codes(tmp_path, counter, "a.py") == []
    assert codes(tmp_path, counter, "a.py", "--scope", "project") == ["RL901:5"]


def test_nothing_is_called_unused_in_a_file_that_could_not_be_read(tmp_path: Path) -> None:
    assert codes(tmp_path, "x = 1  # racelint: ignore[RL101]\ny = (\n") == ["RL900:2"]


@pytest.mark.parametrize("code", ["RL901", "RL902", "RL903"])
def test_the_engines_own_rules_are_explained(code: str) -> None:
    answer = racelint("rule", code)
    assert answer.returncode == 0
    assert "## Why is this bad?" in answer.stdout
