"""What a walk finds, and what it leaves out."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from racelint.engine.discover import WalkOptions, discover
from racelint.engine.ignoring import Patterns


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def found(root: Path, *paths: str, **options: object) -> list[str]:
    result = discover(paths or (".",), str(root), WalkOptions(**options))  # type: ignore[arg-type]
    return [os.path.relpath(path, root).replace(os.sep, "/") for path in result.files]


def test_folders_are_walked_for_python_files_in_order(tmp_path: Path) -> None:
    make(tmp_path, "b/c.py", "a.py", "b/notes.txt", "gui.pyw", "b/a.pyi")
    assert found(tmp_path) == ["a.py", "b/c.py", "gui.pyw"]


def test_a_file_given_outright_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    make(tmp_path, "script", "stub.pyi")
    assert found(tmp_path, "script", "stub.pyi") == ["script", "stub.pyi"]


def test_caches_environments_and_build_output_are_left_out(tmp_path: Path) -> None:
    make(tmp_path, ".venv/a.py", "node_modules/b.py", "__pycache__/c.py", "build/lib/d.py", ".git/e.py", "src/kept.py")
    make(tmp_path, "elsewhere/pyvenv.cfg", "elsewhere/lib/f.py", "x/site-packages/g.py")
    assert found(tmp_path) == ["src/kept.py"]


def test_a_package_called_build_is_kept(tmp_path: Path) -> None:
    make(tmp_path, "build/__init__.py", "build/steps.py")
    assert found(tmp_path) == ["build/__init__.py", "build/steps.py"]


def test_an_excluded_folder_is_scanned_when_asked_for(tmp_path: Path) -> None:
    make(tmp_path, "venv/lib/site-packages/pkg/a.py")
    assert found(tmp_path, "venv/lib/site-packages/pkg") == ["venv/lib/site-packages/pkg/a.py"]


def test_gitignore_is_obeyed_with_negation_and_nesting(tmp_path: Path) -> None:
    make(tmp_path, "gen/a.py", "gen/keep.py", "src/skip.py", "src/deep/skip.py", "src/deep/back.py", "top.py")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("gen/*\n!gen/keep.py\nback.py\n")
    (tmp_path / "src/.gitignore").write_text("/skip.py\n")
    (tmp_path / "src/deep/.gitignore").write_text("!back.py\n")
    assert found(tmp_path) == ["gen/keep.py", "src/deep/back.py", "src/deep/skip.py", "top.py"]
    assert found(tmp_path, "src/deep") == ["src/deep/back.py", "src/deep/skip.py"]


def test_an_ignored_folder_is_scanned_when_asked_for(tmp_path: Path) -> None:
    make(tmp_path, "out/a.py")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".gitignore").write_text("out/\n")
    assert found(tmp_path) == []
    assert found(tmp_path, "out") == ["out/a.py"]


def test_agrees_with_git_about_what_is_ignored(tmp_path: Path) -> None:
    make(tmp_path, "a.py", "lib/a.py", "lib/b.py", "lib/x/b.py", "doc/[z].py", "doc/z.py", "temp/t.py", "sub/temp/u.py")
    (tmp_path / ".gitignore").write_text("# comment\n/a.py\nlib/**/b.py\ndoc/\\[z\\].py\n/temp/\n\n")
    git = subprocess.run(["git", "init", "-q"], cwd=tmp_path, capture_output=True)
    if git.returncode:
        pytest.skip("git does not work here")
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "*.py"], cwd=tmp_path, capture_output=True, text=True
    )
    assert found(tmp_path) == sorted(listed.stdout.splitlines())


def test_configured_patterns_hold_and_force_exclude_extends_them_to_named_files(tmp_path: Path) -> None:
    make(tmp_path, "vendor/a.py", "own.py", ".venv/b.py")

    def excludes(folder: str) -> tuple[Patterns, ...]:
        return (Patterns(str(tmp_path), ["vendor/"]),)

    assert found(tmp_path, excludes=excludes) == ["own.py"]
    named = ("vendor/a.py", "own.py", ".venv/b.py")
    assert found(tmp_path, *named, excludes=excludes) == [".venv/b.py", "own.py", "vendor/a.py"]
    assert found(tmp_path, *named, excludes=excludes, force_exclude=True) == ["own.py"]


def test_loops_of_links_end_and_a_file_counts_once(tmp_path: Path) -> None:
    make(tmp_path, "pkg/a.py")
    (tmp_path / "pkg/up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "pkg/self.py").symlink_to("self.py")
    (tmp_path / "again.py").symlink_to("pkg/a.py")
    assert found(tmp_path) == ["pkg/a.py"]
    assert found(tmp_path, "pkg/a.py", "./pkg/a.py", "pkg") == ["pkg/a.py"]


def test_a_link_to_a_folder_is_followed_when_asked_for(tmp_path: Path) -> None:
    make(tmp_path, "real/a.py")
    (tmp_path / "link").symlink_to("real", target_is_directory=True)
    assert found(tmp_path, "link") == ["link/a.py"]


def test_what_is_missing_or_no_file_is_an_error_and_the_rest_is_found(tmp_path: Path) -> None:
    make(tmp_path, "a.py")
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "loop").symlink_to("loop")
    result = discover(["nope", "a.py", "pipe.py", "loop"], str(tmp_path))
    assert [Path(file).name for file in result.files] == ["a.py"]
    assert [(e.kind, e.path) for e in result.errors] == [
        ("missing-path", "nope"),
        ("missing-path", "pipe.py"),
        ("missing-path", "loop"),
    ]
    assert found(tmp_path) == ["a.py"]


def test_a_folder_without_python_is_a_warning(tmp_path: Path) -> None:
    make(tmp_path, "doc/readme.txt")
    result = discover(["doc"], str(tmp_path))
    assert not result.files
    assert not result.errors
    assert [(w.kind, w.path) for w in result.warnings] == [("no-python", "doc")]


def test_a_folder_that_cannot_be_listed_is_an_error() -> None:
    as_somebody = "os.setuid(65534);" if os.geteuid() == 0 else ""  # root may list everything
    script = (
        f"import os, sys; from racelint.engine.discover import WalkOptions, discover; {as_somebody}"
        "r = discover(['.'], sys.argv[1]); print([e.kind for e in r.errors], len(r.files))"
    )
    with tempfile.TemporaryDirectory() as top:
        root = Path(top)
        root.chmod(0o755)
        make(root, "a.py", "secret/b.py")
        (root / "secret").chmod(0)
        answer = subprocess.run([sys.executable, "-c", script, top], capture_output=True, text=True)
        (root / "secret").chmod(0o755)
    assert answer.stdout == "['unreadable-directory'] 1\n", answer.stderr


def test_file_names_that_are_not_utf8_are_found(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.py")
    try:
        (tmp_path / name).write_text("")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    result = discover(["."], str(tmp_path))
    assert result.files == (str(tmp_path / name),)
