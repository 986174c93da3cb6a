"""The half of racelint that runs inside the target interpreter.

Standard library only, CPython 3.10 to 3.14; greenlet is used where the target has it. It imports nothing of the rest
of racelint: the folder is copied as it stands, under any name, and run as a script:

    python <scratch>/racelint_agent/__main__.py job.json answer.json

`__main__.py` loads its own folder as the package `racelint_agent`, so relative imports work whatever the folder is
called. It reads one `Job` and writes one `Answer` (`racelint.model.scenario`); the exit status is 0 whenever an
answer was written. Nothing is printed: the standard streams of the target are captured and discarded.

Fragments of a scenario see the target module as `target`, and `run_target()`, which executes the target file as
`__main__` under control (for scripts).
"""
