"""What a program must mention for a rule to find anything in it: no other rule is asked, or even imported."""

from __future__ import annotations

from collections.abc import Iterable

Words = tuple[str, ...]

_CONDITIONS: Words = ("Condition", "notify")
_PROCESSES: Words = ("multiprocessing", "ProcessPool")
_THREADS: Words = ("Thread", "Timer", "start_new")
_POOLS: Words = ("xecutor", "submit", "to_thread", "in_threadpool", "add_done_callback", "apscheduler")
_STARTS: Words = (*_THREADS, *_POOLS, *_PROCESSES)
_TASKS: Words = ("async", "curio", "create_task", "ensure_future")

SUBJECTS: dict[str, Words] = {
    "wait_outside_while": _CONDITIONS,
    "condition_without_lock": _CONDITIONS,
    "wait_holding_other_lock": _CONDITIONS,
    "lost_notify": _CONDITIONS,
    "notify_one_of_many": _CONDITIONS,
    "barrier_party_mismatch": ("Barrier",),
    "event_clear_race": ("Event", *_THREADS),
    "unchecked_wait_timeout": ("Event", *_CONDITIONS),
    "cpu_bound_threads": _STARTS,
    "start_result_used": (*_THREADS, *_PROCESSES),
    "run_not_start": (*_THREADS, *_PROCESSES),
    "bad_thread_arguments": _STARTS,
    "nested_submit_deadlock": _STARTS,
    "thread_init_skipped": (*_THREADS, *_PROCESSES),
    "start_at_import": _STARTS,
    "daemon_writer": _THREADS,
    "process_local_mutation": _PROCESSES,
    "shared_value_rmw": _PROCESSES,
    "missing_main_guard": _PROCESSES,
    "thread_primitive_in_process": _PROCESSES,
    "unlocked_shared_array": _PROCESSES,
    "fork_with_threads": ("fork", "getpid", *_PROCESSES),
    "join_before_drain": _PROCESSES,
    "nested_proxy_mutation": _PROCESSES,
    "thread_lock_across_await": ("async",),
    "check_then_act_across_await": ("async",),
    "loop_call_from_thread": (*_TASKS, "threadsafe", "run_forever", "run_until_complete", "run_sync"),
    "blocking_in_coroutine": ("async",),
    "dropped_task": _TASKS,
}
"""By the file of a rule: words of which the source must hold one. A rule that is not here may speak of any program."""


class Mentions:
    """The words that some sources hold, each looked for when first asked for.

    `declared`: the settings declare threads or locks that no source shows, so that anything may be there.
    """

    def __init__(self, sources: Iterable[bytes], *, declared: bool) -> None:
        self._sources = list(sources)
        self._declared = declared
        self._known: dict[str, bool] = {}

    def concern(self, file: str) -> bool:
        """Whether the rule of this file may have anything to say."""
        words = SUBJECTS.get(file)
        return self._declared or words is None or any(map(self._are_of, words))

    def _are_of(self, word: str) -> bool:
        known = self._known.get(word)
        if known is None:
            known = self._known[word] = any(_holds(source, word.encode()) for source in self._sources)
        return known


def _holds(source: bytes, word: bytes) -> bool:
    """Whether the word is there as code may have it: `Thread-safe` is prose."""
    return word in source and source.count(word) > source.count(word + b"-")
