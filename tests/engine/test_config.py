"""Reading `[tool.racelint]`, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from racelint.config.check import complaints
from racelint.config.hierarchy import load_hierarchy
from racelint.config.load import ConfigError, load_settings, project_root
from racelint.config.schema import json_schema
from racelint.config.settings import ConfirmSettings, Contracts, Settings


def test_all_keys(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.racelint]\nselect = ['RL1']\nignore = ['RL108']\nextend-select = ['RL213']\nexclude = ['vendor/']\n"
        "[tool.racelint.contracts]\nthread-safe = ['bank.Account']\n"
        "[tool.racelint.confirm]\npython = 'python3.13t'\nbudget = 5\n"
    )
    settings, found_at = load_settings(str(tmp_path))
    assert found_at == str(tmp_path / "pyproject.toml")
    assert settings == Settings(
        select=("RL1",),
        ignore=("RL108",),
        extend_select=("RL213",),
        exclude=("vendor/",),
        contracts=Contracts(thread_safe=("bank.Account",)),
        confirm=ConfirmSettings(python="python3.13t", budget=5.0),
    )


def test_the_closest_file_that_speaks_of_racelint_wins(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "racelint.toml").write_text("ignore = ['RL1']\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert load_settings(str(inner))[0].ignore == ("RL1",)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.racelint]\nignore = ['RL2']\n")
    assert load_settings(str(inner))[0].ignore == ("RL2",)
    assert load_settings(str(inner), isolated=True) == (Settings(), None)
    assert load_settings(str(inner), str(tmp_path / "racelint.toml"))[0].ignore == ("RL1",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[tool.racelint]\nselct = []\n", "unknown key `tool.racelint.selct`; did you mean `select`?"),
        ("[tool.racelint]\nextend_select = []\n", "did you mean `extend-select`?"),
        (
            "[tool.racelint.confirm]\nbudgett = 1\n",
            "unknown key `tool.racelint.confirm.budgett`; did you mean `budget`?",
        ),
        ("[tool.racelint.contracts]\nzzz = 1\n", "the choices are thread-safe, thread-confined"),
        ("[tool.racelint]\nselect = 'RL1'\n", "`tool.racelint.select`: expected a list of strings, got a string"),
        ("[tool.racelint]\nselect = [1]\n", "`tool.racelint.select[0]`: expected a string, got a whole number"),
        ("[tool]\nracelint = 3\n", "`tool.racelint`: expected a table, got a whole number"),
        ("[tool.racelint\n", "not valid TOML"),
        (
            "[tool.racelint.severities]\nRL1 = 'eror'\n",
            '`tool.racelint.severities."RL1"`: "eror" is not allowed; did you mean `"error"`?',
        ),
        (
            "[tool.racelint]\ntarget-version = '3.13f'\n",
            '`tool.racelint.target-version`: "3.13f" is not allowed; did you mean `"3.13"`?',
        ),
        ("[tool.racelint]\ntarget-version = ['3.13', '4']\n", '`tool.racelint.target-version[1]`: "4" is not allowed'),
        ("[tool.racelint]\ntarget-version = 3.13\n", 'expected a string, got a number; did you mean `"3.13"`?'),
        ("[tool.racelint]\nforce-exclude = 1\n", "expected true or false, got a whole number"),
        ("[tool.racelint]\nmin-severity = true\n", "`tool.racelint.min-severity`: expected a string, got a boolean"),
        ("[tool.racelint.confirm]\nbudget = 0\n", "`tool.racelint.confirm.budget`: must be more than 0, got 0"),
        ("[tool.racelint.confirm]\nmemory = 1\n", "`tool.racelint.confirm.memory`: must be at least 64, got 1"),
        ("[tool.racelint]\nextend = 'gone.toml'\n", "`tool.racelint.extend`: there is no file"),
        ("[tool.racelint]\nextend = 'pyproject.toml'\n", "extends this file in turn"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_key(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_settings(str(tmp_path))
    assert str(raised.value).startswith(str(tmp_path / "pyproject.toml"))
    assert complaint in str(raised.value)


def test_a_file_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "racelint.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid UTF-8"):
        load_settings(str(tmp_path))
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(str(tmp_path), str(tmp_path / "gone.toml"))


def test_the_root_of_a_project_is_marked(tmp_path: Path) -> None:
    (tmp_path / "p" / "src" / "pkg").mkdir(parents=True)
    (tmp_path / "p" / "setup.py").write_text("")
    assert project_root(str(tmp_path / "p" / "src" / "pkg")) == str(tmp_path / "p")


def test_a_file_is_built_on_the_one_it_extends(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared/base.toml").write_text(
        "ignore = ['RL1']\nextend-select = ['RL213']\nbaseline = 'known.json'\nmin-confidence = 'high'\n"
        "per-file-ignores = {'a.py' = ['RL1']}\n[confirm]\nseed = 1\nbudget = 2\n"
    )
    (tmp_path / "racelint.toml").write_text(
        "extend = 'shared/base.toml'\nignore = ['RL2']\nextend-select = ['RL509']\n"
        "per-file-ignores = {'b.py' = ['RL1']}\n[confirm]\nseed = 3\n"
    )
    settings, _ = load_settings(str(tmp_path))
    assert (settings.ignore, settings.extend_select) == (("RL2",), ("RL213", "RL509"))
    assert (settings.min_confidence, set(settings.per_file_ignores)) == ("high", {"a.py", "b.py"})
    assert (settings.confirm.seed, settings.confirm.budget) == (3, 2.0)
    assert settings.baseline == str(tmp_path / "shared/known.json"), "a path is relative to the file it stands in"


def test_what_is_wrong_with_an_extended_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("ignroe = []\n")
    (tmp_path / "racelint.toml").write_text("extend = 'base.toml'\n")
    with pytest.raises(ConfigError, match=r"base\.toml: unknown key `ignroe`; did you mean `ignore`"):
        load_settings(str(tmp_path))


def test_a_broken_pyproject_that_is_not_about_racelint_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[broken\n")
    assert load_settings(str(tmp_path / "sub")) == (Settings(), None)


def test_the_closest_file_holds_for_each_folder_and_declared_names_everywhere(tmp_path: Path) -> None:
    for folder, text in (("", "ignore = ['RL1']\n"), ("a", "ignore = ['RL2']\nextra-locks = ['a.L']\n"), ("b", "")):
        (tmp_path / folder / "deep").mkdir(parents=True)
        if text:
            (tmp_path / folder / "racelint.toml").write_text(text)
    hierarchy = load_hierarchy(str(tmp_path))
    ignored = {name: hierarchy.of(str(tmp_path / name)).settings.ignore for name in ("", "a", "a/deep", "b/deep")}
    assert ignored == {"": ("RL1",), "a": ("RL2",), "a/deep": ("RL2",), "b/deep": ("RL1",)}
    combined = hierarchy.combined([str(tmp_path), str(tmp_path / "a")])
    assert (combined.ignore, combined.extra_locks) == (("RL1",), ("a.L",))
    for fixed in (
        load_hierarchy(str(tmp_path), isolated=True),
        load_hierarchy(str(tmp_path), str(tmp_path / "racelint.toml")),
    ):
        assert fixed.of(str(tmp_path / "a")) == fixed.base


def test_whatever_passes_the_check_can_be_read(tmp_path: Path) -> None:
    """Each setting's own example, as the schema gives it, is accepted."""
    schema = json_schema()
    tables = {"": schema["properties"]} | {
        name: schema["definitions"][struct]["properties"]
        for name, struct in (("contracts", "Contracts"), ("confirm", "ConfirmSettings"))
    }
    for prefix, properties in tables.items():
        for key, described in properties.items():
            for example in described.get("examples", ()):
                table = {prefix: {key: example}} if prefix else {key: example}
                assert list(complaints(table)) == []
                msgspec.convert(table, Settings)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text() | st.floats(), lambda inner: st.lists(inner)
    | st.dictionaries(st.sampled_from(["select", "confirm", "budget", "severities", "a\nb"]), inner)))  # fmt: skip
def test_the_check_agrees_with_the_conversion(value: object) -> None:
    """What the check lets through converts, and what it refuses is one sentence a mistake."""
    found = list(complaints(value))
    if not found:
        msgspec.convert(value, Settings)
    assert all("\n" not in complaint for complaint in found)
