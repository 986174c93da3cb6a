"""Each example and model under `racelint confirm`: whether it answers as its header says, how fast, false alarms.

With the explorers of PyPI on the same models beside it, and the speed of all of them on a two-thread counter.
"""

from __future__ import annotations

import argparse
import sys

from expectations import Result, check, expectations
from peers.compare import compare, counter_rates, peer_rates

MANY = 200
"""Schedules below which a rate says more about start-up than about the search."""

HEADING = (
    f"   {'target':50} {'expected':34} {'answer':28} {'schedules':>9} {'per s':>8} {'wall':>8} where it can happen"
)


def row(result: Result) -> str:
    wanted, verdict = result.expectation, result.verdict
    asked = "confirmed " + "|".join(wanted.effects) if wanted.confirmed else "not confirmed"
    got = f"{verdict.get('status', 'no answer')} {verdict.get('effect') or ''}"
    schedules = verdict.get("schedules_run", 0)
    rate = f"{schedules / result.seconds:8,.0f}" if schedules >= MANY else " " * 8
    where = ",".join(f"{name} {how}" for name, how in verdict.get("interpreters", {}).items())
    mark = "  " if result.as_expected else "!!"
    why = "" if result.as_expected else f"  {result.trouble or verdict.get('reason', '')}"[:160]
    return (
        f"{mark} {wanted.name:50.50} {asked.strip():34.34} {got.strip():28.28}"
        f" {schedules:9,} {rate} {result.seconds:6.1f} s {where}{why}"
    )


def totals(results: list[Result]) -> str:
    racy = [r for r in results if r.expectation.confirmed]
    safe = [r for r in results if not r.expectation.confirmed]
    needed = sorted(r.verdict.get("schedules_run", 0) for r in racy if r.as_expected)
    median = needed[len(needed) // 2] if needed else 0
    return (
        f"\n{sum(r.as_expected for r in racy)} of {len(racy)} racy ones confirmed as expected,"
        f" {sum(r.as_expected for r in safe)} of {len(safe)} safe ones left alone,"
        f" {sum(r.false_alarm for r in safe)} false alarms\n"
        f"schedules to confirm: median {median}, most {needed[-1] if needed else 0};"
        f" {sum(r.seconds for r in results):.0f} s in all\n"
    )


def speed(seconds: float, *, peers: bool) -> dict[str, float]:
    """Print the schedules a second on the two-thread counter, and give racelint's."""
    print(f"two threads, one counter: schedules per second of CPU time over {seconds:g} s, after the warm-up")
    rates = counter_rates(seconds)
    says = {
        "greenlet search": "racelint, greenlets, search: an execution whose order is known is not looked at again",
        "greenlet oracle": "racelint, greenlets, the full oracle on every schedule",
        "threads search": "racelint, OS threads, search",
        "threads oracle": "racelint, OS threads, the full oracle on every schedule",
    }
    for name, rate in rates.items():
        print(f"  {rate:10,.0f}  {says[name]}")
    for name, rate in (peer_rates(seconds) if peers else {}).items():
        print(f"  {rate:10,.0f}  {name}")
    return rates


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="an example or model by its file's name")
    parser.add_argument("--python", help="interpreter that runs the models")
    parser.add_argument("--budget", help="seconds for each target")
    parser.add_argument("--peer-budget", type=float, default=5.0, help="seconds for each model of another explorer")
    parser.add_argument("--no-peers", action="store_true", help="racelint alone")
    parser.add_argument("--speed", action="store_true", help="nothing but the schedules per second")
    options = parser.parse_args()
    if options.speed:
        speed(options.peer_budget, peers=not options.no_peers)
        return
    words = [*(["--python", options.python] if options.python else [])]
    words += ["--confirm-budget", options.budget] if options.budget else []
    wanted = [e for e in expectations() if not options.only or e.file.stem in options.only]
    if not wanted:
        parser.error("no such example or model")
    results = []
    print(HEADING)
    for expectation in wanted:
        results.append(check(expectation, *words))
        print(row(results[-1]), flush=True)
    print(totals(results))
    rates = speed(options.peer_budget, peers=not options.no_peers)
    if not options.no_peers:
        print()
        for line in compare(results, rates, options.peer_budget):
            print(line, flush=True)
    sys.exit(0 if all(result.as_expected for result in results) else 1)


if __name__ == "__main__":
    main()
