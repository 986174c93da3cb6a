"""From a search to an answer: shrink, replay, classify, and say what was seen and what was expected."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from .answer import Answer, answer_of
from .found import Found
from .oracle import CREATED_FIRST, own_effect
from .outcome import Outcome, telling_labels
from .passage import Passage
from .preemption import is_possible_on_gil, possibilities
from .replay import Nondeterminism, Replayer, WillDo, every_schedule
from .schedules import Schedule
from .search import OF_STATE, Search
from .settling import settled
from .witness import Recorder

MAX_EXPECTED = 6
MAX_TEXT = 240
ATTEMPTS = 3
MOST_OTHERS = 24
SHARE_FOR_OTHERS = 0.2
"""Of the budget: for an interleaving that more interpreters can show than the first one."""

ELSEWHERE = (
    "it goes wrong only where threads may be switched anywhere, as in a free-threaded build or CPython 3.9: "
    "not with the GIL of 3.10 and later"
)


def search_job(search: Search) -> Answer:
    """Search for a wrong outcome and say what came of it."""
    found = _of_operations(search, search.found())
    first = next(found, None)
    if first is not None:
        shown = _confirmed(search, first)
        return (
            shown
            if is_possible_on_gil(shown["interpreters"])
            else _on_gil(search, shown, itertools.chain([first], found))
        )
    if search.wrong_by_itself() is not None:
        return _wrong_by_itself(search)
    return _not_found(search)


def _of_operations(search: Search, found: Iterator[Found]) -> Iterator[Found]:
    """What is found, without states that threads in the background may well leave.

    Nothing says that all that such a thread does is one operation: what it has done before and after those of the
    scenario is no defect, unless one of the two wrote over what the other had written.
    """
    replayer = Replayer(search)
    for one in settled(search, found):
        in_question = one.effect in OF_STATE and one.outcome.beside and search.baseline.answers(one.outcome)
        if in_question and not _loses_an_update(search, replayer, one):
            search.explained = True
            search.baseline.add(one.outcome)
        else:
            yield one


def _loses_an_update(search: Search, replayer: Replayer, found: Found) -> bool:
    try:
        schedule, _ = _smallest(replayer, _repeating(replayer, found), found.effect)
    except Nondeterminism:
        return False
    recorder = Recorder(search, schedule)
    recorder.run()
    return recorder.shows_lost_update()


def replay_job(search: Search, job: dict[str, Any]) -> Answer:
    """Run the schedule of the job again: `confirmed` if its outcome is still wrong."""
    search.serial()
    replayer = Replayer(search)
    outcome, policy = replayer.run(job["schedule"])
    found = search.judge(outcome, {}, len(job["schedule"].get("switches", ())))
    stale = [f"{place[1]} (visit {place[2]})" for place in policy.unused]
    note = f"switches that found no place: {', '.join(stale)}" if stale else ""
    effect = found.effect if found is not None else _own_effect(search, outcome)
    if found is not None and found.in_doubt:
        search.open[outcome.key] = outcome
        return _open(search)
    if not effect:
        text, expected = _texts(search, outcome)
        return _base(search, status="not-reproduced", outcome=text, expected=expected, reason=note)
    return _shown(search, job["schedule"], outcome, effect, note)


def _on_gil(search: Search, shown: Answer, found: Iterator[Found]) -> Answer:
    """The answer for an interleaving that a GIL build can show, too; `shown`, which it cannot, where none is found."""
    passage, replayer = Passage(search), Replayer(search)
    only_gil = search.budget.get("interpreters") == "gil"
    share = search.budget["seconds"] * (1.0 if only_gil else SHARE_FOR_OTHERS)
    limit = search.seconds() + share
    for number, one in enumerate(found):
        if search.seconds() > limit or (number >= MOST_OTHERS and not only_gil):
            break
        try:
            schedule = _repeating(replayer, one)
            if passage.is_possible_on_gil(schedule):
                schedule, outcome = _smallest(replayer, schedule, one.effect, passage.is_possible_on_gil)
                return _shown(search, schedule, outcome, one.effect, "")
        except Nondeterminism:
            continue
    if only_gil:
        return _base(search, status="not-reproduced", interpreters=shown["interpreters"], reason=ELSEWHERE)
    return {**shown, "schedules_run": search.schedules}


def _confirmed(search: Search, found: Found) -> Answer:
    reason = ""
    for _ in range(ATTEMPTS):
        try:
            replayer = Replayer(search)
            schedule, outcome = _smallest(replayer, _repeating(replayer, found), found.effect)
        except Nondeterminism as error:
            reason = reason or f"two runs of one schedule differ in: {error}"
            continue
        return _shown(search, schedule, outcome, found.effect, "")
    return _base(search, status="inconclusive", reason=reason)


def _repeating(replayer: Replayer, found: Found) -> Schedule:
    """The schedule of what was found, by sites. Raises Nondeterminism."""
    schedule = found.schedule or replayer.schedule(found)
    first, _ = replayer.run(schedule)
    if first.key != found.outcome.key:
        raise Nondeterminism("how the schedule by sites ended")
    return schedule


def _smallest(
    replayer: Replayer, schedule: Schedule, effect: str, will_do: WillDo = every_schedule
) -> tuple[Schedule, Outcome]:
    """The smallest schedule that will do and gives the wrong outcome every time. Raises Nondeterminism."""
    smallest, outcome = replayer.shrink(schedule, effect, will_do)
    replayer.verify(smallest, outcome)
    return smallest, outcome


def _shown(search: Search, schedule: Schedule, outcome: Outcome, effect: str, note: str) -> Answer:
    recorder = Recorder(search, schedule)
    recorder.run()
    if effect == "not-serializable" and recorder.shows_lost_update():
        effect = "lost-update"
    text, expected = _texts(search, outcome)
    if outcome.hang:
        text = "; ".join(outcome.waiting) or text
    if effect == "invariant" and search.subject.invariant:
        note = "; ".join(filter(None, [f"`{search.subject.invariant}` is false then", note]))
    return _base(
        search,
        status="confirmed",
        effect=effect,
        schedule=schedule,
        interpreters=possibilities(search.table, recorder.interesting, recorder.entries, schedule),
        outcome=text,
        expected=expected,
        reason=note,
        witness=recorder.witness(),
        reached=search.comes_to_finding(recorder.log.visited),
    )


def _wrong_by_itself(search: Search) -> Answer:
    note = "it goes wrong in the plain order of the threads, too" if search.refuted is not None else ""
    for first in range(max(1, search.threads)):  # which of them may matter
        schedule: Schedule = {"first": first, "switches": []}
        outcome, _ = Replayer(search).run(schedule)
        effect = _own_effect(search, outcome)
        if effect:
            return _shown(search, schedule, outcome, effect, note)
    return _not_found(search)


def _own_effect(search: Search, outcome: Outcome) -> str:
    """What is wrong with the outcome although no threads interleaved in it, "" for nothing."""
    if search.code in CREATED_FIRST:
        return search.differs(outcome)
    if search.refuted is not None:
        return search.claimed_effect(outcome)
    return own_effect(outcome) if outcome.hang and search.wrong_by_itself() is not None else ""


def _not_found(search: Search) -> Answer:
    if search.unmet:
        return _base(search, status="unsupported", reason=search.unmet)
    if search.open:
        return _open(search)
    if search.order is not None:
        text, expected = _texts(search, search.order)
        reason = "only the order of elements or of output depends on the schedule"
        return _base(search, status="benign", effect="order", outcome=text, expected=expected, reason=reason)
    known = search.baseline.outcomes.values()
    if known and all(outcome.hang in ("steps", "spins") for outcome in known):
        reason = f"no order ends within {search.control.step_limit} steps, or all threads turn in loops for ever"
        return _base(search, status="inconclusive", reason=reason)
    reason = _explored(search)
    if search.bound_exhausted < 1:
        return _base(search, status="inconclusive", reason=f"the budget ended: {reason}")
    return _base(search, status="not-reproduced", reason=reason)


def _open(search: Search) -> Answer:
    """What was seen, and that it was not shown to be the doing of a race."""
    text, expected = _texts(search, next(iter(search.open.values())))
    coarse = search.coarse
    run = f"{coarse.schedules} schedules" if coarse is not None else "none"
    reason = (
        f"an outcome that no serial order gives came up, {text}, but the budget ended before it was known whether it "
        f"comes up with the flagged accesses made atomic, too ({run} of that were run)"
    )
    return _base(search, status="inconclusive", outcome=text, expected=expected, reason=reason)


def _explored(search: Search) -> str:
    if search.complete:
        spoken = "every schedule of the conflicting accesses was run"
    elif search.bound_exhausted >= 0:
        spoken = f"every schedule with up to {search.bound_exhausted} preemptions was run, and random ones"
    else:
        spoken = f"{search.schedules} schedules were run"
    if search.explained:
        spoken += "; outcomes that no serial order gives come up with the flagged region made atomic, too"
    if search.cut:
        spoken += f"; {search.cut} schedules were cut off at {search.control.step_limit} steps"
    return spoken


def _texts(search: Search, outcome: Outcome) -> tuple[str, list[str]]:
    is_leak = search.baseline.leaks(outcome)
    known = [other for other in search.baseline.outcomes.values() if is_leak or other.key != outcome.key]
    if not known:
        return outcome.text(), ["every thread ends"] if outcome.hang else []
    labels = telling_labels([outcome, *known])
    every = [outcome, *known]
    expected = list(dict.fromkeys(other.text(labels, every) or other.text()[:MAX_TEXT] for other in known))
    return outcome.text(labels, known) or "none of that", sorted(expected)[:MAX_EXPECTED]


def _base(search: Search, **fields: Any) -> Answer:
    return answer_of(
        schedules_run=search.schedules,
        bound_exhausted=search.bound_exhausted,
        out_of_control=search.out_of_control(),
        leaks=sorted(search.finder.leaks),
        **fields,
    )
