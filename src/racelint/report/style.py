"""Colour, decided once: `--color`, then NO_COLOR, then FORCE_COLOR, then whether a capable terminal reads."""

from __future__ import annotations

from collections.abc import Mapping

_CODES = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "bold": "1",
    "dim": "2",
}


def wants_colour(choice: str, environ: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to colour: `choice` is `auto`, `always` or `never`, `terminal` whether the output goes to one."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return terminal and environ.get("TERM") != "dumb"


class Style:
    """Wraps text in terminal codes, or leaves it alone."""

    def __init__(self, *, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, *names: str) -> str:
        if not self.colour or not text:
            return text
        return f"\x1b[{';'.join(_CODES[name] for name in names)}m{text}\x1b[0m"

    def severity(self, severity: str) -> str:
        """The word in the colour of its gravity."""
        return self(severity, {"error": "red", "warning": "yellow"}.get(severity, "blue"), "bold")


PLAIN = Style(colour=False)
