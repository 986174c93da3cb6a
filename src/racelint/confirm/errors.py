"""What ends a confirmation before it has begun, as a sentence for the user."""


class CannotRun(Exception):
    """The job itself is impossible: no such interpreter, target or file. The command line exits with 2."""


class CannotBuild(Exception):
    """Something of a scenario cannot be made up; `what` says which parameter of what, `stub` is a fixture to paste."""

    def __init__(self, what: str, stub: str) -> None:
        super().__init__(what)
        self.what = what
        self.stub = stub


class NotApplicable(Exception):
    """A variant of a scenario has no meaning for these operations: nothing that the user could supply."""
