"""Scenarios of real processes: each instrumented, one controller over a socket.

Two questions are asked. Does a process change a plain object that another process has its own copy of (RL601)? And does
a forced interleaving of accesses to shared memory give a result that no serial order of the processes gives (RL602,
RL605)? What other rules ask is in `process_checks`.
"""

from __future__ import annotations

# Plain paths: pathlib costs more to import than a small search takes.
# ruff: noqa: PTH100, PTH118, PTH120
import os
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from .answer import Answer, answer_of
from .loader import InstrumentingFinder
from .process_calls import run_call
from .process_checks import CHECKS
from .process_control import Controller, Pause, Run
from .process_side import CONFIGURATION
from .sites import Site

MAX_PAUSES = 24


def run_processes(job: dict[str, Any], deliver: Callable[[Answer], None]) -> Answer:
    """Answer a job of kind `processes`; one that runs the user's program up to a call answers through `deliver`."""
    if not hasattr(os, "fork") or not hasattr(socket, "AF_UNIX"):
        return answer_of(status="unsupported", reason="real processes are controlled on POSIX systems only")
    code = job["scenario"].get("code") or ""
    with tempfile.TemporaryDirectory(prefix="racelint") as folder:
        _write_sitecustomize(folder)
        if job["scenario"].get("call"):
            return run_call(job, folder, deliver)
        if code in CHECKS:
            return CHECKS[code](job, folder)
        first = Controller(job, [], folder).run()
        if first.error:
            return answer_of(status="unsupported", reason=first.error, schedules_run=1)
        if not first.reports.get(0) and first.hung:
            return answer_of(status="inconclusive", reason="the processes did not end", schedules_run=1)
        if len(first.labels) < 2:
            return answer_of(status="unsupported", reason="it starts no process with multiprocessing", schedules_run=1)
        lost = _lost_in_process(first, bool(job["scenario"].get("flagged")))
        if lost is not None and code not in ("RL602", "RL605"):
            return _lost_answer(first, lost)
        return (TornReads if code == "RL605" else Interleaving)(job, folder).search()


def _lost_in_process(run: Run, flagged: bool) -> tuple[str, int, int] | None:
    """An object that one process changed and another still has as it was: its label, the writer and the other."""
    for label in sorted({label for report in run.reports.values() for label in report}):
        holders = {n: report[label] for n, report in run.reports.items() if label in report}
        for writer, entry in holders.items():
            if entry["shared"] or not entry["written"] or (flagged and not entry["flagged"]):
                continue
            for other, seen in holders.items():
                if other != writer and seen["value"] != entry["value"] and (flagged or seen["touched"]):
                    return label, writer, other
    return None


def _lost_answer(run: Run, lost: tuple[str, int, int]) -> Answer:
    label, writer, other = lost
    written, seen = run.reports[writer][label]["value"], run.reports[other][label]["value"]
    one, two = run.labels[writer], run.labels[other]
    return answer_of(
        status="confirmed",
        effect="lost-in-process",
        schedules_run=1,
        interpreters={"gil-3.9": "modelled", "gil-3.10+": "observed", "free-threaded": "modelled"},
        outcome=f"{label}: {one} has {written}, {two} still has {seen}",
        expected=[f"{label}: both have {written}"],
        witness=run.witness(2),
    )


class Interleaving:
    """Looks for a forced interleaving whose result no serial order of the processes gives.

    `orders` are the serial orders, `meanwhile` is the one that is kept while a process is held.
    """

    orders: tuple[tuple[int, ...], ...] = ((0, 1, 2, 3), (0, 2, 1, 3))
    meanwhile: tuple[int, ...] = orders[0]

    def __init__(self, job: dict[str, Any], folder: str) -> None:
        scenario = job["scenario"]
        finder = InstrumentingFinder([scenario["path"], *scenario["instrument"]], scenario["sys_path"])
        finder.compile_all()
        self.table = finder.table
        self.job = job
        self.deadline = time.monotonic() + job["budget"]["seconds"]
        lines = {(flag["path"], flag["line"]) for flag in scenario.get("flagged") or []}
        scopes = {(site.path, site.scope) for site in self.table.sites if (site.path, site.line) in lines}
        gates = [site for site in self.table.sites if (site.path, site.scope) in scopes] or self.table.sites
        self.gates = [site.name for site in gates if _may_touch_shared(site)]
        self.controller = Controller(job, self.gates, folder)

    def search(self) -> Answer:
        serial = [run for order in self.orders if not (run := self.controller.run(order)).hung]
        if not serial:
            return self._answer("inconclusive", reason="the processes did not end in time, one after the other")
        if self.job.get("schedule"):
            pause = _pause_of(self.job["schedule"])
            run = self.controller.run(self.meanwhile, pause)
            if run.hung:
                return self._answer("inconclusive", reason="the processes did not end in time")
            return self._judged(run, pause, serial)
        expected = {self.outcome(run) for run in serial}
        for pause in self._pauses(serial[0]):
            if time.monotonic() > self.deadline:
                return self._answer("inconclusive", reason="the budget ended")
            run = self.controller.run(self.meanwhile, pause)
            if not run.hung and self.outcome(run) not in expected:
                again = self.controller.run(self.meanwhile, pause)
                if self.outcome(again) != self.outcome(run):
                    return self._answer("inconclusive", reason="two runs of one schedule differ")
                return self._judged(again, pause, serial)
        return self._answer("not-reproduced", reason="each process was held at each of its accesses once")

    def outcome(self, run: Run) -> tuple[tuple[str, str], ...]:
        """What is compared, with its names."""
        return run.shared()

    def effect(self, run: Run, pause: Pause) -> str:
        """Lost, where the held process wrote after others had written what it had read before."""
        stale = self.table.by_name[pause.site].kind.endswith("write") and run.switch_used
        return "lost-update" if stale else "not-serializable"

    def _pauses(self, run: Run) -> list[Pause]:
        """Writes first: what a process read before it may be stale by then."""
        writes = [gate for gate in run.order if gate[0] > 0 and self.table.by_name[gate[1]].kind.endswith("write")]
        others = [gate for gate in run.order if gate[0] > 0 and gate not in writes]
        return [Pause(*gate) for gate in (writes + others)[:MAX_PAUSES]]

    def _judged(self, run: Run, pause: Pause, serial: list[Run]) -> Answer:
        outcome = self.outcome(run)
        if outcome in {self.outcome(one) for one in serial}:
            return self._answer("not-reproduced", reason="the schedule gives an outcome that a serial order gives")
        switch = {"thread": pause.process, "site": pause.site, "visit": pause.visit, "to": -1}
        differing = {label for one in serial for label, value in self.outcome(one) if (label, value) not in outcome}
        return self._answer(
            "confirmed",
            effect=self.effect(run, pause),
            schedule={"first": 0, "switches": [switch]},
            interpreters={"gil-3.9": "modelled", "gil-3.10+": "observed", "free-threaded": "modelled"},
            outcome=_spoken(outcome, differing),
            expected=sorted({_spoken(self.outcome(one), differing) for one in serial}),
            witness=run.witness(10),
        )

    def _answer(self, status: str, **fields: Any) -> Answer:
        return answer_of(status=status, schedules_run=self.controller.runs + 1, **fields)


class TornReads(Interleaving):
    """Looks for a read of several elements, some of them from before a write and some from after (RL605).

    A process is held between two elements that it writes in one go: in a turn of a loop with several writes, or in a
    loop that has but one.
    """

    orders = ((0, 1, 2, 3), (1, 2, 3, 0))
    meanwhile = orders[1]

    def outcome(self, run: Run) -> tuple[tuple[str, str], ...]:
        """What was read on the finding's lines."""
        lines = {(flag["path"], flag["line"]) for flag in self.job["scenario"].get("flagged") or []}
        reads = [step for step in run.steps if (step["path"], step["line"]) in lines]
        return tuple(tuple(step["action"].split(" = ", 1)) for step in reads if step["action"].startswith("read "))

    def effect(self, run: Run, pause: Pause) -> str:
        return "not-serializable"

    def _pauses(self, run: Run) -> list[Pause]:
        writes = [gate for gate in run.order if gate[0] > 0 and self.table.by_name[gate[1]].kind == "item-write"]
        sites = dict.fromkeys(site for _, site, _ in writes)
        first = next(iter(sites), "")
        between = [gate for gate in writes if (gate[1] != first if len(sites) > 1 else gate[2] > 1)]
        return [Pause(*gate) for gate in between[:MAX_PAUSES]]


def _may_touch_shared(site: Site) -> bool:
    """A field, an item or their contents: where a shared value or array is read and written."""
    return site.kind in ("read", "write", "item-read", "item-write")


def _pause_of(schedule: dict[str, Any]) -> Pause:
    switch = schedule["switches"][0]
    return Pause(switch["thread"], switch["site"], switch["visit"])


def _spoken(outcome: tuple[tuple[str, str], ...], labels: set[str]) -> str:
    return "; ".join(f"{label} = {value}" for label, value in outcome if label in labels)


def _write_sitecustomize(folder: str) -> None:
    """Spawned processes import this at their start and instrument themselves."""
    here = os.path.dirname(os.path.abspath(__file__))
    text = (
        "import importlib.util, sys\n"
        f"here = {here!r}\n"
        "spec = importlib.util.spec_from_file_location('racelint_agent', here + '/__init__.py', "
        "submodule_search_locations=[here])\n"
        "package = importlib.util.module_from_spec(spec)\n"
        "sys.modules['racelint_agent'] = package\n"
        "spec.loader.exec_module(package)\n"
        "from racelint_agent.process_side import install_from_environment\n"
        "install_from_environment()\n"
    )
    with open(os.path.join(folder, "sitecustomize.py"), "w", encoding="utf-8") as file:
        file.write(text)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")]))
    assert CONFIGURATION not in os.environ and sys.executable
