"""Module names, what a scan takes in, and which files matter."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.engine.naming import ModuleFinder
from racelint.engine.prescan import mentions_concurrency, relevant
from racelint.engine.scope import Scope, gather


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def scope_of(root: Path, *given: str, **options: object) -> Scope:
    return gather([str(root / name) for name in given], str(root), str(root), **options)  # type: ignore[arg-type]


def modules(scope: Scope) -> dict[str, str]:
    return {file.display: file.module for file in scope.files}


def test_names_follow_packages_upward(tmp_path: Path) -> None:
    write(tmp_path, {"src/pkg/__init__.py": "", "src/pkg/sub/__init__.py": "", "src/pkg/sub/mod.py": "", "tool.py": ""})
    finder = ModuleFinder()
    assert finder.base_and_name(str(tmp_path / "src/pkg/sub/mod.py")) == (str(tmp_path / "src"), "pkg.sub.mod")
    assert finder.base_and_name(str(tmp_path / "src/pkg/__init__.py")) == (str(tmp_path / "src"), "pkg")
    assert finder.base_and_name(str(tmp_path / "tool.py")) == (str(tmp_path), "tool")


def test_imports_inside_the_project_come_along_unreported(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "app.py": "from pkg.service import Service\nimport os, missing\n",
            "pkg/__init__.py": "",
            "pkg/service.py": "from . import store\n",
            "pkg/store.py": "import threading\n",
            "pkg/unused.py": "",
        },
    )
    scope = scope_of(tmp_path, "app.py")
    assert {file.display: file.reported for file in scope.files} == {
        "app.py": True,
        "pkg/__init__.py": False,
        "pkg/service.py": False,
        "pkg/store.py": False,
    }


def test_a_src_layout_is_found_from_the_tests_beside_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "pyproject.toml": "",
            "tests/test_bank.py": "from bank.account import A\n",
            "src/bank/__init__.py": "",
            "src/bank/account.py": "A = 1\n",
        },
    )
    assert modules(scope_of(tmp_path, "tests/test_bank.py"))["src/bank/account.py"] == "bank.account"


def test_environments_and_the_standard_library_are_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import threading, click\n", "venv/pyvenv.cfg": "", "venv/click.py": ""})
    assert list(modules(scope_of(tmp_path, "a.py"))) == ["a.py"]


def test_a_namespace_package_is_named_as_it_is_imported(tmp_path: Path) -> None:
    write(tmp_path, {"main.py": "import space.pkg.mod\n", "space/pkg/__init__.py": "", "space/pkg/mod.py": ""})
    scope = scope_of(tmp_path, "main.py")
    assert modules(scope) == {"main.py": "main", "space/pkg/mod.py": "space.pkg.mod"}


def test_scripts_of_one_name_are_told_apart_and_each_means_its_own_neighbour(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a/main.py": "import tool\n", "a/tool.py": "", "b/main.py": "import tool\n", "b/tool.py": ""},
    )
    scope = scope_of(tmp_path, "a/main.py", "b/main.py")
    assert modules(scope) == {"a/main.py": "main", "a/tool.py": "tool", "b/main.py": "b.main", "b/tool.py": "b.tool"}
    renamed = {file.display: file.renamed for file in scope.files}
    assert renamed["a/main.py"] == {}
    assert renamed["b/main.py"] == {"tool": "b.tool"}


def test_the_scope_does_not_depend_on_the_order_given(tmp_path: Path) -> None:
    write(tmp_path, {"a/x.py": "import y", "a/y.py": "", "b/x.py": "import y", "b/y.py": "", "z.py": "import a.x"})
    given = ["a/x.py", "b/x.py", "z.py"]
    assert scope_of(tmp_path, *given) == scope_of(tmp_path, *reversed(given))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    scope = gather([str(tmp_path / "gone.py")], str(tmp_path), str(tmp_path))
    assert scope.unreadable == {str(tmp_path / "gone.py"): "no such file or directory"}


@pytest.mark.parametrize(
    "source",
    [
        b"import threading",
        b"from concurrent.futures import *",
        b"pool.submit(f)",
        b"async def f(): ...",
        b"with self._lock: pass",
        b"class H(http.server.BaseHTTPRequestHandler): ...",
        b"x = 1  # racelint: thread-safe",
    ],
)
def test_mentions_of_concurrency(source: bytes) -> None:
    assert mentions_concurrency(source) is (b"_lock:" not in source)


def test_relevant_takes_users_of_concurrency_and_what_they_use() -> None:
    imports = {"app": ["spawner", "work"], "work": ["deep"], "other": ["alone"]}
    assert relevant(["spawner"], imports) == {"spawner", "app", "work", "deep"}
    assert relevant([], imports) == frozenset()


def test_a_class_declared_thread_safe_makes_its_module_matter(tmp_path: Path) -> None:
    write(tmp_path, {"bank.py": "class Account: pass\n", "plain.py": ""})
    assert scope_of(tmp_path, "bank.py", "plain.py").relevant == frozenset()
    scope = scope_of(tmp_path, "bank.py", "plain.py", declared=("bank.Account",))
    assert scope.relevant == {str(tmp_path / "bank.py")}
