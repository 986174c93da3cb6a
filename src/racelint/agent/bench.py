"""Everything that one job of controlled threads needs, put up once: controller, instrumentation, shim, watchdog."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from . import shim
from .answer import Answer, answer_of
from .capture import Capture, nothing, silence
from .carriers import best_carrier
from .control import Control
from .ending import search_of
from .entry import Entry
from .forked import Forked
from .loader import InstrumentingFinder
from .oracle import OF_FORKS
from .probe import Prober
from .replay import Nondeterminism
from .search import Search
from .subject import Subject, SubjectError, search_path
from .verdict import replay_job, search_job
from .watchdog import Watchdog


class Bench:
    """Where the kinds `threads` and `program` are run. `deliver` writes an answer and ends the process."""

    def __init__(self, job: dict[str, Any], deliver: Callable[[Answer], None], write: Callable[[Answer], None]) -> None:
        scenario = job["scenario"]
        self.job = job
        self.scenario = scenario
        self.deliver = deliver
        self.write = write
        self.clock = time.perf_counter
        search_path(scenario)
        self.finder = InstrumentingFinder(
            [scenario["path"], *scenario["instrument"]], sys.path[: len(scenario["sys_path"])]
        )
        self.finder.always_fresh = bool(job.get("fresh"))
        self.control = Control(best_carrier(os.environ.get("RACELINT_CARRIER", "")))
        self.control.step_limit = job["budget"]["steps"]
        sys.meta_path.insert(0, self.finder)
        self.watchdog = Watchdog(self.control, job, write)
        shim.install(self.control, loops=_has_coroutines(self.finder.paths))
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.control.stand_alone)
            if scenario.get("code") in OF_FORKS:
                Forked(self.control)
        gc.disable()

    def answer(self) -> Answer:
        """Probe, search or replay, as the job asks."""
        if self.job.get("probe"):
            return self._probed()
        if self.scenario.get("test") or self.scenario.get("call"):
            silence(Capture(nothing))
            return Entry(self.scenario, self.control, self.finder, self.explore, self.deliver).run()
        return self.explore(lambda: Subject(self.scenario, self.control, self.finder))

    def explore(self, subject: Callable[[], Subject]) -> Answer:
        """Search the subject, or replay the job's schedule on it; why, where that cannot be."""
        try:
            search = self._search(subject())
            return replay_job(search, self.job) if self.job.get("schedule") else search_job(search)
        except SubjectError as error:
            return answer_of(status="unsupported", reason=str(error))
        except SyntaxError as error:
            return answer_of(status="unsupported", reason=f"cannot compile: {error}")
        except Nondeterminism as error:
            return answer_of(status="inconclusive", reason=f"two runs of one schedule differ in: {error}")

    def _search(self, subject: Subject) -> Search:
        silence(subject.capture)
        self.watchdog.start()
        search = search_of(subject, self.control, self.finder, self.job, self.clock)
        self.watchdog.search = search
        return search

    def _probed(self) -> Answer:
        """The serial orders of several scenarios; one that blocks for real ends it with what is known by then."""
        silence(Capture(nothing))
        prober = Prober(self.job, self.control, self.finder, self.write)
        watchdog = Watchdog(self.control, self.job, lambda answer: self.write(prober.answer(answer["reason"])))
        watchdog.start()
        return prober.run(watchdog)


def _has_coroutines(paths: list[str]) -> bool:
    """Whether any of these source files has to do with coroutines."""
    for path in paths:
        with open(path, "rb") as file:
            if b"async" in file.read():
                return True
    return False
