"""A verdict in a few lines: what was tried, what came out, where it can happen, and how to see it again."""

from __future__ import annotations

from racelint.model.finding import Effect, Possibility, Verdict, Witness
from racelint.report.snippet import visible
from racelint.report.style import Style

_COLOURS = {"confirmed": "red", "benign": "green", "not-reproduced": "yellow"}
_PLACES = {"gil-3.9": "CPython up to 3.9", "gil-3.10+": "CPython 3.10+ with the GIL", "free-threaded": "free-threaded"}


def render_verdict(verdict: Verdict, width: int, style: Style) -> list[str]:
    """The verdict as lines of text; the interleaving, where there is one, in lanes no wider than `width` columns."""
    status = style(verdict.status, _COLOURS.get(verdict.status, "yellow"), "bold")
    effect = f" ({verdict.effect})" if verdict.effect else ""
    plural = "" if verdict.schedules_run == 1 else "s"
    tried = f", {verdict.schedules_run} schedule{plural} run" if verdict.schedules_run else ""
    output = [f"verdict: {status}{effect}{tried}"]
    if verdict.reason:
        output.append(f"  {visible(verdict.reason)}")
    if verdict.witness is not None:
        output += ["", *_lanes(verdict.witness, verdict.effect, width - 2, style), ""]
    if verdict.outcome is not None:
        output.append(f"  seen:     {visible(verdict.outcome)}")
    for number, expected in enumerate(verdict.expected):
        output.append(f"  {'expected:' if number == 0 else '      or:'} {visible(expected)}")
    if verdict.interpreters:
        places = (f"{place}: {how}" for place, how in possibilities(verdict))
        output.append("  can happen on: " + "; ".join(places))
    if verdict.schedule:
        output.append(f"  replay:   racelint replay {verdict.schedule}")
    return output


def _lanes(witness: Witness, effect: Effect | None, width: int, style: Style) -> list[str]:
    """The interleaving, in colour where there is any."""
    if style.colour:
        from racelint.report.coloured_lanes import render_coloured_lanes

        return render_coloured_lanes(witness, width, effect)
    from racelint.report.lanes import render_lanes

    return render_lanes(witness, width, effect)


def possibilities(verdict: Verdict) -> list[tuple[str, Possibility]]:
    """The interpreters in words, and how the race is known to be possible there."""
    return [(_PLACES.get(name, name), how) for name, how in verdict.interpreters.items()]
