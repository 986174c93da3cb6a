"""Hypothesis keeps its notes where pytest keeps its own, not in a folder that the next collection trips over."""

from __future__ import annotations

from pathlib import Path

from hypothesis.configuration import set_hypothesis_home_dir

set_hypothesis_home_dir(Path(__file__).parents[2] / ".pytest_cache" / "hypothesis")
