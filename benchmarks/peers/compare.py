"""racelint beside the explorers of PyPI, each on every model: what it found, in how many schedules, how fast."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from expectations import MODELS, Result
from tools import environment, newer_python

from peers.specs import SPECS, Spec

HERE = Path(__file__).resolve().parent
PATIENCE = 20.0
"""Seconds past its budget after which a run is taken for a hang."""

TRAPS = (
    "spin_loop",
    "safe_spin",
    "thread_subclass",
    "timer_race",
    "safe_timer",
    "logging_window",
    "safe_logging",
    "sleep_window",
    "import_time_lock",
    "executor_inside",
    "safe_executor",
    "three_threads",
    "four_preemptions",
    "safe_queue_order",
)
"""Models that break explorers: ours must pass them all."""


@dataclass(frozen=True)
class Peer:
    """One strategy of one explorer."""

    name: str
    requirement: str
    driver: str
    strategy: str
    wrapper: str = ""

    def command(self) -> list[str]:
        python = environment(self.requirement, newer_python())
        wrapper = [str(python.with_name(self.wrapper))] if self.wrapper else []
        return [*wrapper, str(python), str(HERE / self.driver)]


PEERS = (
    Peer("frontrun dpor", "frontrun==0.7.0", "drive_frontrun.py", "dpor", "frontrun"),
    Peer("frontrun random", "frontrun==0.7.0", "drive_frontrun.py", "random", "frontrun"),
    Peer("interleave random", "interleave-test==0.1.0", "drive_interleave.py", "random"),
    Peer("interleave pct", "interleave-test==0.1.0", "drive_interleave.py", "pct"),
    Peer("interleave dfs", "interleave-test==0.1.0", "drive_interleave.py", "dfs"),
)


@dataclass(frozen=True)
class Attempt:
    """What one explorer said of one model. `trouble`: it crashed, hung, or could not tell."""

    found: bool
    schedules: int
    seconds: float
    cpu: float
    trouble: str = ""


@dataclass
class Tally:
    """What one explorer came to over all models."""

    name: str
    found: int = 0
    alarms: int = 0
    troubles: int = 0
    traps: list[str] = field(default_factory=list)
    needed: list[int] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    lines: int = 0

    def add(self, model: str, buggy: bool, attempt: Attempt, lines: int) -> None:
        self.lines += lines
        self.found += buggy and attempt.found
        self.alarms += attempt.found and not buggy
        self.troubles += bool(attempt.trouble)
        if model in TRAPS and (attempt.found != buggy or attempt.trouble):
            self.traps.append(model)
        if buggy and attempt.found:
            self.needed.append(attempt.schedules)
        elif attempt.schedules >= 20 and attempt.cpu:
            self.rates.append(attempt.schedules / attempt.cpu)


def try_model(peer: Peer, model: str, spec: Spec, seconds: float) -> Attempt:
    """Run one explorer on one model, in a process of its own."""
    request: dict[str, Any] = {
        "path": str(MODELS / f"{model}.py"),
        "state": spec.state,
        "workers": spec.workers,
        "holds": spec.holds,
        "program": spec.program,
        "strategy": peer.strategy,
        "seconds": seconds,
    }
    begun = time.monotonic()
    try:
        done = subprocess.run(
            peer.command(), input=json.dumps(request), capture_output=True, text=True, timeout=seconds + PATIENCE
        )
        answer = json.loads(done.stdout.strip().splitlines()[-1])
    except subprocess.TimeoutExpired:
        return Attempt(False, 0, time.monotonic() - begun, 0.0, "it hangs")
    except (ValueError, IndexError):
        return Attempt(False, 0, time.monotonic() - begun, 0.0, f"it crashed: {done.stderr.strip()[-120:]}")
    return Attempt(answer["found"], answer["schedules"], answer["seconds"], answer["cpu"], answer["trouble"])


def compare(results: list[Result], rates: dict[str, float], seconds: float) -> Iterator[str]:
    """The lines of the comparison: a row for each model, then the totals. `results` are racelint's own."""
    ours = Tally("racelint")
    tallies = [Tally(peer.name) for peer in PEERS]
    yield f"{'model':24} {'':8} {'racelint':>12} " + " ".join(f"{peer.name:>18}" for peer in PEERS)
    for result in results:
        model = result.expectation.file.stem
        spec = SPECS.get(model)
        if spec is None:
            continue
        buggy = result.expectation.confirmed
        run = result.verdict.get("schedules_run", 0)
        found = result.verdict.get("status") == "confirmed"
        ours.add(model, buggy, Attempt(found, run, result.seconds, 0.0, result.trouble), 0)
        cells = [_cell(found, run, result.trouble)]
        for peer, tally in zip(PEERS, tallies, strict=True):
            attempt = try_model(peer, model, spec, seconds)
            tally.add(model, buggy, attempt, len(spec.workers) + 3)
            cells.append(_cell(attempt.found, attempt.schedules, attempt.trouble))
        yield f"{model:24} {'racy' if buggy else 'safe':8} {cells[0]:>12} " + " ".join(f"{c:>18}" for c in cells[1:])
    ours.rates = list(rates.values())
    yield from _totals([ours, *tallies], results)


def _cell(found: bool, schedules: int, trouble: str) -> str:
    if trouble:
        return "hangs" if trouble == "it hangs" else "cannot tell" if "inconclusive" in trouble else "error"
    return f"{'found' if found else '-'} {schedules}"


def _totals(tallies: list[Tally], results: list[Result]) -> Iterator[str]:
    known = [result for result in results if result.expectation.file.stem in SPECS]
    racy = sum(result.expectation.confirmed for result in known)
    yield ""
    heads = (
        ("found", 9),
        ("alarms", 9),
        ("trouble", 8),
        ("traps", 8),
        ("schedules", 10),
        ("schedules/s", 14),
        ("lines", 6),
    )
    yield " ".join([" " * 20, *(f"{head:>{width}}" for head, width in heads)])
    for tally in tallies:
        needed = sorted(tally.needed)
        rate = sorted(tally.rates)
        yield (
            f"{tally.name:20} {tally.found:3} of {racy:2} {tally.alarms:3} of {len(known) - racy:2} {tally.troubles:8}"
            f" {len(tally.traps):2} of {len(TRAPS):2} {needed[len(needed) // 2] if needed else 0:10}"
            f" {rate[len(rate) // 2] if rate else 0:14,.0f} {tally.lines:6}"
        )
    for tally in tallies:
        if tally.traps:
            yield f"{tally.name} falls into: {', '.join(tally.traps)}"
    yield (
        "alarms: safe models called racy; trouble: crashed, hung or could not tell; traps: of the models made to break"
        " explorers, those with a wrong answer; schedules: median to find; schedules/s: median, per second of CPU time"
    )


def counter_rates(seconds: float) -> dict[str, float]:
    """Schedules per CPU second of racelint's agent on the two-thread counter, by carrier and mode."""
    rates = {}
    for carrier in ("greenlet", "threads"):
        for mode in ("search", "oracle"):
            words = [sys.executable, str(HERE.parent / "agent_speed.py"), str(MODELS / "lost_update.py")]
            words += ["c = target.Counter()", "c.increment()", "c.increment()"]
            words += ["--carrier", carrier, "--mode", mode, "--seconds", str(seconds)]
            environment = {"PYTHONHASHSEED": "0"}
            done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)
            answer = json.loads(done.stdout)
            rates[f"{carrier} {mode}"] = answer["schedules"] / answer["cpu"]
    return rates


def peer_rates(seconds: float) -> dict[str, float]:
    """The same for the other explorers, with an invariant that holds, so that they go on."""
    spec = SPECS["lost_update"]
    rates = {}
    for peer in PEERS:
        attempt = try_model(peer, "lost_update", Spec(spec.state, spec.workers, "True"), seconds)
        rates[peer.name] = attempt.schedules / attempt.cpu if attempt.cpu else 0.0
    return rates
