"""Files that cannot be read as Python: each is one RL900, and the rest is still scanned."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import race, racelint, scan_json

CASES: dict[str, tuple[bytes, int]] = {
    "syntax error": (b"x = 1\ndef f(:\n    pass\n", 2),
    "wrong indentation": (b"if x:\n    a = 1\n  b = 2\n", 3),
    "tabs and spaces": (b"if x:\n        a = 1\n\tb = 2\n", 3),
    "undecodable": (b"x = 1\ny = '\xe9'\n", 2),
    "undecodable by its declaration": (b"# coding: ascii\nx = '\xe9'\n", 2),
    "unknown encoding": (b"# coding: klingon\nx = 1\n", 1),
    "binary": (b"\x7fELF\x02\x01\x01\x00\x00", 1),
    "binary in the middle": (b"x = 1\ny = '\x00'\n", 2),
    "python 2": (b"print 'hello'\n", 1),
    "unclosed": (b"x = (1,\n", 1),
    "brackets": (b"import threading\nx = " + b"(" * 3000 + b")" * 3000 + b"\n", 2),
    "brackets of three kinds": (b"import threading\nx = " + b"([{" * 1000 + b"}])" * 1000 + b"\n", 2),
    "indentation beyond limits": (b"".join(b" " * n + b"if x:\n" for n in range(150)) + b" " * 150 + b"pass\n", 101),
    "null in utf-16": ("x = 1\n".encode("utf-16"), 1),
}


def slug(case: str) -> str:
    return case.replace(" ", "_").replace("-", "_")


@pytest.fixture(scope="module")
def unreadable(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All cases in one folder, each also beside a mention of threads, and a race among them, in one scan."""
    folder = tmp_path_factory.mktemp("unreadable")
    for case, (source, _) in CASES.items():
        (folder / f"{slug(case)}.py").write_bytes(source)
        (folder / f"{slug(case)}_threads.py").write_bytes(source + b"\nimport threading\n")
    (folder / "race.py").write_text(race())
    text = racelint("scan", cwd=folder)
    assert text.returncode == 1
    assert "Traceback" not in text.stdout + text.stderr
    return scan_json(cwd=folder)


@pytest.mark.parametrize("case", CASES)
def test_an_unreadable_file_is_one_finding(case: str, unreadable: dict[str, Any]) -> None:
    names = (f"{slug(case)}.py", f"{slug(case)}_threads.py")
    first, second = (f for f in unreadable["findings"] if f["path"] in names)
    assert (first["code"], first["severity"], first["evidence"]) == ("RL900", "error", None)
    assert first["line"] == CASES[case][1], first["message"]
    assert (first["line"], first["message"]) == (second["line"], second["message"])


def test_the_rest_is_still_scanned(unreadable: dict[str, Any]) -> None:
    assert unreadable["errors"] == []
    assert [f["path"] for f in unreadable["findings"] if f["code"] == "RL101"] == ["race.py"]
    assert len(unreadable["findings"]) == 2 * len(CASES) + 1


READABLE: dict[str, bytes] = {
    "empty": b"",
    "only a comment": b"# nothing",
    "byte order mark": b"\xef\xbb\xbfimport threading\n",
    "latin-1": b"# -*- coding: latin-1 -*-\nimport threading\nx = '\xe9'\n",
    "windows line ends": b"import threading\r\nif True:\r\n    x = 1\r\n",
    "old mac line ends": b"import threading\rif True:\r    x = 1\r",
    "form feed": b"import threading\n\x0c\nx = 1\n",
    "invalid escape": b"import threading\nx = '\\d'\n",
    "no newline at the end": b"import threading\nx = 1",
    "other alphabets": "import threading\ngröße = 'ф' + '漢字'\n".encode(),
    "operators": b"import threading\nx = " + b" + ".join([b"1"] * 3000) + b"\n",
    "twenty thousand lines": b"import threading\n" + b"x = 1\n# and on\n" * 10_000,
    "nested as deep as Python allows": b"import threading\nx = " + b"(" * 190 + b"1" + b")" * 190 + b"\n",
}


def test_what_python_reads_is_scanned(tmp_path: Path) -> None:
    for case, source in READABLE.items():
        (tmp_path / f"{slug(case)}.py").write_bytes(source)
    (tmp_path / "race.py").write_text(race())
    answer = racelint("scan", "--output-format", "concise", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (1, "")
    assert [line.split(":")[0] for line in answer.stdout.splitlines()[:-1]] == ["race.py"]


def test_odd_file_names_are_scanned_and_shown(tmp_path: Path) -> None:
    names = [b"caf\xe9.py", "größe.py".encode(), b"with space.py", b"new\nline.py", b"-dash.py"]
    for name in list(names):
        try:
            with open(os.fsencode(tmp_path) + b"/" + name, "w") as stream:
                stream.write(race())
        except OSError:  # this file system takes only UTF-8 names
            names.remove(name)
    found = scan_json(cwd=tmp_path)["findings"]
    assert [f["code"] for f in found] == ["RL101"] * len(names)
    assert sorted(f["path"] for f in found) == sorted(name.decode("utf-8", "backslashreplace") for name in names)
    assert scan_json("--", *names, cwd=tmp_path)["findings"] == found
    assert racelint("scan", cwd=tmp_path).returncode == 1


def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        (tmp_path / "gone.py").symlink_to("/proc/self/mem")  # root reads everything but this
        reason = "input/output error"
    else:
        (tmp_path / "gone.py").write_text("")
        (tmp_path / "gone.py").chmod(0)
        reason = "permission denied"
    (finding,) = scan_json("gone.py", cwd=tmp_path)["findings"]
    assert (finding["code"], finding["line"]) == ("RL900", 1)
    assert finding["message"].startswith(f"cannot be read: {reason}")


def test_a_folder_without_python_is_said_and_is_no_failure(tmp_path: Path) -> None:
    answer = racelint("scan", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "racelint: warning: .: no Python files found\n")
    assert scan_json(cwd=tmp_path)["summary"]["warnings"] == [
        {"kind": "no-python", "message": "no Python files found", "path": "."}
    ]


def test_rl900_is_told_whatever_is_selected_unless_ignored_by_name(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("x = (\n")
    assert racelint("scan", "--select", "RL101", cwd=tmp_path).returncode == 1
    assert racelint("scan", "--ignore", "RL900", cwd=tmp_path).returncode == 0
    assert racelint("scan", "--ignore", "RL101", cwd=tmp_path).returncode == 1


def test_a_scan_never_runs_what_it_scans(tmp_path: Path) -> None:
    victim = tmp_path / "precious.txt"
    victim.write_text("keep")
    harm = f"import os\nos.remove({str(victim)!r})\nimport threading\n"
    package = tmp_path / "pkg"
    package.mkdir()
    # names that the standard library, racelint and its dependencies import: none may be taken from here
    names = ("sitecustomize", "usercustomize", "queue", "click", "msgspec", "libcst", "pathspec", "signal", "tokenize")
    for name in (*names, "conftest", "setup", "racelint_plugin", "pkg/__init__", "pkg/__main__"):
        (tmp_path / f"{name}.py").write_text(harm)
    (tmp_path / "user.py").write_text("import pkg, queue\n" + race())
    (tmp_path / "pyproject.toml").write_text("[tool.racelint]\n")
    answer = racelint("scan", "--output-format", "concise", cwd=tmp_path)
    assert victim.exists(), "the scan executed the scanned code"
    assert answer.returncode == 1, answer
    assert "user.py:10:" in answer.stdout
    assert not list(tmp_path.rglob("__pycache__"))


@pytest.mark.parametrize(("jobs", "seed"), [("1", "0"), ("3", "7")])
def test_the_answer_does_not_depend_on_hashing_jobs_or_the_order_of_paths(jobs: str, seed: str, tmp_path: Path) -> None:
    for number in range(12):
        (tmp_path / f"m{number:02}.py").write_text(race() + f"import m{(number + 1) % 12:02}\n")
        (tmp_path / f"b{number:02}.py").write_text("x = (\n" * (number + 1))
    names = sorted(path.name for path in tmp_path.glob("*.py"))
    expected = scan_json(".", cwd=tmp_path, env={"PYTHONHASHSEED": "1"})
    assert Counter(finding["code"] for finding in expected["findings"]) == {"RL101": 12, "RL508": 12, "RL900": 12}
    assert expected["errors"] == []
    shuffled = names[::-1] if seed == "0" else names[5:] + names[:5]
    assert scan_json("-j", jobs, *shuffled, cwd=tmp_path, env={"PYTHONHASHSEED": seed}) == expected


def test_symbolic_links_in_a_circle_end(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/a.py").write_text(race())
    (tmp_path / "pkg/again").symlink_to(tmp_path / "pkg")
    (tmp_path / "ring.py").symlink_to("ring.py")
    assert [f["path"] for f in scan_json(cwd=tmp_path)["findings"]] == ["pkg/a.py"]
    assert racelint("scan", "ring.py", cwd=tmp_path).returncode == 2


def test_what_is_no_regular_file_is_passed_over_and_named_where_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race())
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "null.py").symlink_to("/dev/null")
    (tmp_path / "gone.py").symlink_to("nowhere")
    (tmp_path / "racelint.toml").mkdir()
    assert [f["path"] for f in scan_json(cwd=tmp_path)["findings"]] == ["a.py"]
    reasons = {"pipe.py": "not a regular file", "null.py": "not a regular file", "gone.py": "no such file or directory"}
    answer = racelint("scan", *reasons, "a.py", "--output-format", "concise", cwd=tmp_path)
    assert answer.returncode == 2
    assert answer.stdout.startswith("a.py:9:"), "the rest of the run goes on"
    told = sorted(f"racelint: error: {name}: {reason}" for name, reason in reasons.items())
    assert sorted(answer.stderr.splitlines()) == told


def test_a_report_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(race())
    for file, reason in (("no/such/x.txt", "No such file or directory"), ("a.py/x", "Not a directory")):
        answer = racelint("scan", "-o", file, cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (2, f"racelint: error: cannot write {file}: {reason}\n")


def test_an_unknown_encoding_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("# coding: klingon\n")
    (finding,) = scan_json(cwd=tmp_path)["findings"]
    assert finding["message"].startswith("unknown encoding: klingon:")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type parameters and f-string nesting are new in 3.12")
def test_syntax_of_newer_pythons_is_read(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text("import threading\ntype A[T] = list[T]\ndef f[T](x: T) -> T: return x\n")
    assert scan_json("new.py", cwd=tmp_path)["findings"] == []
