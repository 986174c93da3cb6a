"""What ends a confirmation before it has begun, as a sentence for the user."""


class CannotRun(Exception):
    """The job itself is impossible: no such interpreter, target or file. The command line exits with 2."""
