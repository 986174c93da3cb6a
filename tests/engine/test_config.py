"""Reading `[tool.racelint]`, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import pytest

from racelint.config.load import ConfigError, load_settings, project_root
from racelint.config.settings import ConfirmSettings, Contracts, Settings


def test_all_keys(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.racelint]\nselect = ['RL1']\nignore = ['RL108']\nextend-select = ['RL213']\nexclude = ['vendor/']\n"
        "[tool.racelint.contracts]\nthread-safe = ['bank.Account']\n"
        "[tool.racelint.confirm]\npython = 'python3.13t'\nbudget = 5\n"
    )
    settings, found_at = load_settings(tmp_path)
    assert found_at == tmp_path / "pyproject.toml"
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
    assert load_settings(inner)[0].ignore == ("RL1",)
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.racelint]\nignore = ['RL2']\n")
    assert load_settings(inner)[0].ignore == ("RL2",)
    assert load_settings(inner, isolated=True) == (Settings(), None)
    assert load_settings(inner, tmp_path / "racelint.toml")[0].ignore == ("RL1",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[tool.racelint]\nselct = []\n", "unknown key `tool.racelint.selct`; did you mean `select`?"),
        ("[tool.racelint]\nextend_select = []\n", "did you mean `extend-select`?"),
        (
            "[tool.racelint.confirm]\nbudgett = 1\n",
            "unknown key `tool.racelint.confirm.budgett`; did you mean `budget`?",
        ),
        ("[tool.racelint.contracts]\nzzz = 1\n", "the keys are thread-safe"),
        ("[tool.racelint]\nselect = 'RL1'\n", "`tool.racelint.select`: expected `array`, got `str`"),
        ("[tool.racelint]\nselect = [1]\n", "`tool.racelint.select[0]`: expected `str`, got `int`"),
        ("[tool]\nracelint = 3\n", "expected `object`, got `int`"),
        ("[tool.racelint\n", "not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_key(text: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_settings(tmp_path)
    assert str(raised.value).startswith(str(tmp_path / "pyproject.toml"))
    assert complaint in str(raised.value)


def test_a_file_that_is_not_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "racelint.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not valid UTF-8"):
        load_settings(tmp_path)
    with pytest.raises(ConfigError, match="No such file"):
        load_settings(tmp_path, tmp_path / "gone.toml")


def test_the_root_of_a_project_is_marked(tmp_path: Path) -> None:
    (tmp_path / "p" / "src" / "pkg").mkdir(parents=True)
    (tmp_path / "p" / "setup.py").write_text("")
    assert project_root(tmp_path / "p" / "src" / "pkg") == tmp_path / "p"
