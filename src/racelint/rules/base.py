"""What a rule is: metadata, documentation with a bad and a good example, and a check over the linked program."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from racelint.model.finding import Confidence, Evidence, Finding, Severity, Step, StepRole

if TYPE_CHECKING:  # a rule is described without the analyses that it asks
    from racelint.model.summary import Span
    from racelint.program import Program
    from racelint.program.names.index import FunctionInfo

_LOWER: dict[Severity, Severity] = {"error": "warning", "warning": "info", "info": "info"}
SECTIONS = ("What it does", "Why is this bad?", "Example", "Use instead", "How it is confirmed", "Known limits")


class Rule(ABC):
    """Base of every rule. A subclass states all metadata, or its definition fails.

    `confirmable`: the harness can prove it. `default_on`: part of the default selection. Whether there is a fix, the
    fixes say.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    since: ClassVar[str]
    severity: ClassVar[Severity]
    confirmable: ClassVar[bool]
    default_on: ClassVar[bool] = True

    def __init_subclass__(cls) -> None:
        missing = [field for field in ("code", "name", "since", "severity", "confirmable") if not hasattr(cls, field)]
        if missing:
            raise TypeError(f"{cls.__name__} does not state {', '.join(missing)}")
        if not re.fullmatch(r"[A-Z]{2,4}\d{3}", cls.code) or cls.severity not in get_args(Severity):
            raise TypeError(f"{cls.__name__}: wrong code or severity")
        absent = [section for section in SECTIONS if f"## {section}" not in (cls.__doc__ or "")]
        if absent:
            raise TypeError(f"{cls.__name__} does not document {', '.join(absent)}")

    @abstractmethod
    def check(self, program: Program) -> Iterator[Finding]:
        """Findings of this rule in a deterministic order; the engine filters by file."""

    @property
    def docstring(self) -> str:
        """The rule's documentation as Markdown."""
        import inspect  # 20 ms, and few scans ask

        return inspect.cleandoc(type(self).__doc__ or "")

    @property
    def summary(self) -> str:
        """The documentation's first line."""
        return self.docstring.splitlines()[0]

    def example(self, section: Literal["Example", "Use instead"]) -> str:
        """The code of a section's first fence."""
        found = re.search(rf"## {section}\n+```python\n(.*?)```", self.docstring, re.DOTALL)
        return found[1] if found else ""

    def finding(
        self,
        function: FunctionInfo,
        span: Span,
        *,
        message: str,
        why: str,
        subject: str,
        confidence: Confidence = "high",
        evidence: Evidence | None = None,
        trace: Sequence[Step] = (),
        severity: Severity | None = None,
    ) -> Finding:
        """A finding of this rule; low confidence drops the severity by one step."""
        level = severity or self.severity
        if confidence == "low" and severity is None:
            level = _LOWER[level]
        line, column, end_line, end_column = span
        return Finding(
            code=self.code,
            name=self.name,
            message=message,
            why=why,
            path=function.module.source.display,
            line=line,
            column=column,
            end_line=end_line,
            end_column=end_column,
            severity=level,
            confidence=confidence,
            evidence=evidence,
            symbol=symbol_of(function),
            subject=subject,
            trace=tuple(trace),
        )

    def about_file(self, display: str, span: Span, *, message: str, why: str, subject: str) -> Finding:
        """A finding about the file `display` itself, which no function of the program holds."""
        return Finding(
            code=self.code,
            name=self.name,
            message=message,
            why=why,
            path=display,
            line=span[0],
            column=span[1],
            end_line=span[2],
            end_column=span[3],
            severity=self.severity,
            confidence="high",
            evidence=None,
            symbol="",
            subject=subject,
        )


def symbol_of(function: FunctionInfo) -> str:
    """The qualified name of a function as people write it."""
    return function.symbol


def step(role: StepRole, message: str, function: FunctionInfo, span: Span, lockset: Sequence[str] = ()) -> Step:
    """One line of a trace."""
    return Step(role, message, function.module.source.display, span[0], span[1], tuple(lockset))
