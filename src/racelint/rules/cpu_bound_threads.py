"""RL402 cpu-bound-threads."""

from __future__ import annotations

from collections.abc import Iterator

from racelint.model.finding import Finding
from racelint.program import Program
from racelint.program.linked.computing import Computing
from racelint.program.names.thread_root import ThreadRoot, loops_around
from racelint.rules.base import Rule, step, symbol_of


class CpuBoundThreads(Rule):
    """Threads split a pure computation, which the GIL makes them do in turns.

    ## What it does
    Reports two or more threads (or the tasks of a thread pool) that run one function which only computes: loops and
    arithmetic, no waiting, no input or output, no C code that lets the interpreter lock go.

    ## Why is this bad?
    Only one thread at a time runs Python code, so that four threads take as long as one, and a little more for the
    switching. Processes run on all cores; so do threads on a free-threaded interpreter.

    ## Example
    ```python
    from concurrent.futures import ThreadPoolExecutor


    def squares(last):
        total = 0
        for n in range(last):
            total += n * n
        return total


    def main(numbers):
        with ThreadPoolExecutor() as pool:
            return sum(pool.map(squares, numbers))  # RL402
    ```

    ## Use instead
    ```python
    from concurrent.futures import ProcessPoolExecutor


    def squares(last):
        total = 0
        for n in range(last):
            total += n * n
        return total


    def main(numbers):
        with ProcessPoolExecutor() as pool:
            return sum(pool.map(squares, numbers))
    ```

    ## How it is confirmed
    The computation is timed on threads and on processes: the verdict gives the ratio.

    ## Known limits
    Code that calls anything unknown is not reported. How long the computation takes is not known either.
    """

    code = "RL402"
    name = "cpu-bound-threads"
    since = "0.1.0"
    severity = "info"
    confirmable = True

    def check(self, program: Program) -> Iterator[Finding]:
        if program.settings.only_free_threaded:
            return
        computing = Computing(program)
        groups: dict[tuple[str, str], list[ThreadRoot]] = {}
        for root in program.roots:
            if root.kind in ("thread", "pool") and root.site_function is not None and root.site is not None:
                groups.setdefault((root.target.id, root.site_function.id), []).append(root)
        for roots in groups.values():
            target = roots[0].target
            if (len(roots) > 1 or _repeats(roots[0])) and computing.is_pure(target) and computing.has_work(target):
                first = min(roots, key=lambda root: root.site.id if root.site else 0)
                yield self._found(first, len(roots), program.settings.targets)

    def _found(self, root: ThreadRoot, sites: int, targets: tuple[str, ...]) -> Finding:
        assert root.site is not None and root.site_function is not None
        name = symbol_of(root.target)
        free = " and ".join(version for version in targets if version.endswith("t"))
        what = "the tasks of this pool" if root.kind == "pool" else "these threads"
        return self.finding(
            root.site_function,
            root.site.span,
            message=f"{what} run `{name}`, which only computes: with the GIL they take turns",
            why=f"`{name}` neither waits nor does I/O, so that no thread lets another run while it works"
            "; one process a core would use them all" + (f", as threads do on {free}" if free else ""),
            subject=f"{root.target.module.name}.{name}",
            confidence="high" if sites > 1 or root.kind == "thread" else "medium",
            evidence="thread",
            trace=[
                step("root", f"{root.title} starts here", root.site_function, root.site.span),
                step("access", f"`{name}` only computes", root.target, root.target.ir.name_span),
            ],
        )


def _repeats(root: ThreadRoot) -> bool:
    """Whether one site starts several: in a loop, or by `map`."""
    if root.site is None or root.site_function is None:
        return False
    mapped = any("map" in path[-1] for path in root.site.func)
    return mapped or root.site.id in loops_around(root.site_function)
