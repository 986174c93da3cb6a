"""Results to draw pages of: every kind of finding and verdict, as many as one likes."""

from __future__ import annotations

from racelint.engine.selection import rule_book
from racelint.model.finding import Finding, Status, Step, Verdict, Witness, WitnessStep
from racelint.model.fix import Edit, Fix
from racelint.model.overview import AccessedLine, Coverage, LockEdge, LockedLines, Overview, SharedLocation
from racelint.model.result import Problem, ScanResult
from racelint.report.html import render
from racelint.report.view import View

HOSTILE = (
    "</script><script>document.title='owned'</script><!-- {{ 7 * 7 }} & \u202e\x00\ud800 ]]> "
    "<img src=x onerror=alert(1)>"
)
"""Text that must stay text, wherever it stands."""

SOURCE = (
    "import threading",
    "",
    "",
    "class Account:",
    "    def deposit(self, amount):",
    "        with self._lock:",
    "            self._balance += amount",
    "",
    "    def charge(self, fee):",
    '        """Take a fee."""',
    "        self._balance -= fee",
    "",
)

WITNESS = Witness(
    ("Account.charge", "Account.deposit"),
    (
        WitnessStep(0, "bank.py", 11, "self._balance -= fee", "read _balance = 100"),
        WitnessStep(1, "bank.py", 6, "with self._lock:", "entered with self._lock"),
        WitnessStep(1, "bank.py", 7, "self._balance += amount", "read _balance = 100"),
        WitnessStep(1, "bank.py", 7, "self._balance += amount", "wrote _balance = 150"),
        WitnessStep(0, "bank.py", 11, "self._balance -= fee", "wrote _balance = 99"),
    ),
)

CONFIRMED = Verdict(
    status="confirmed",
    effect="lost-update",
    schedule="rl1:eNp9kMEK",
    schedules_run=61,
    interpreters={"gil-3.9": "modelled", "gil-3.10+": "impossible", "free-threaded": "observed"},
    outcome="subject = Account(_balance=99)",
    expected=("subject = Account(_balance=149)",),
    reason="shown by Account.charge ‖ Account.deposit",
    witness=WITNESS,
)

FIXED = Edit(11, 1, 12, 1, "        with self._lock:\n            self._balance -= fee\n")

_STATUSES: tuple[Status | None, ...] = ("confirmed", "not-reproduced", "benign", "inconclusive", "unsupported", None)


def finding(number: int = 0, path: str = "bank.py", text: str = "") -> Finding:
    """A finding that differs with its number; `text` is put wherever text can be."""
    rule = rule_book()[number % 7]
    status = _STATUSES[number % len(_STATUSES)]
    verdict = CONFIRMED if status == "confirmed" else Verdict(status, reason="400 schedules") if status else None
    return Finding(
        code=rule.code,
        name=rule.name,
        message=f"`Account._balance` is changed without `Account._lock` {text}",
        why=f"line 7 holds `Account._lock`, this holds no lock {text}",
        path=path,
        line=11,
        column=9,
        end_line=11,
        end_column=29,
        severity=("error", "warning", "info")[number % 3],
        confidence="high",
        evidence="thread",
        symbol=f"Account.charge{text}",
        subject=f"bank.Account._balance{number % 5}{text}",
        trace=(
            Step("root", f"thread `charge` is started {text}", path, 1, 1),
            Step("call", f"`run` calls `charge` {text}", path, 9, 5),
            Step("access", f"updates `Account._balance` {text}", path, 11, 9),
            Step("root", f"`Account.deposit` may be called by any thread {text}", path, 5, 9),
            Step("conflict", f"updates `Account._balance` {text}", path, 7, 13, ("Account._lock",)),
        ),
        fingerprint=f"{number:016x}",
        verdict=verdict,
        fix=Fix("unsafe", f"Hold the lock {text}", (FIXED,), f"callers may hold it {text}")
        if number % 2 == 0
        else None,
        no_fix_reason=f"`Account._balance` is changed in ledger.py, too {text}" if number % 2 else "",
    )


def overview(text: str = "") -> Overview:
    lines = (
        AccessedLine("bank.py", 7, f"Account.deposit{text}", True, (f"Account._lock{text}",)),
        AccessedLine("bank.py", 11, f"Account.charge{text}", True, ()),
    )
    return Overview(
        Coverage((f"bank.py{text}",), ("bank.py",), (f"quiet.py{text}",), ("other.py",)),
        (SharedLocation(f"Account._balance{text}", "thread", f"Account._lock{text}", False, 1, lines),),
        (
            LockEdge(f"accounts{text}", "journal", "bank.py", 7, "debit", 1),
            LockEdge("journal", f"accounts{text}", "bank.py", 9, f"credit{text}", 1),
            LockEdge("audit", "journal", "bank.py", 9, "report", 0),
        ),
        (LockedLines("bank.py", 6, 7, f"Account._lock{text}"),),
    )


def result(findings: int = 12, files: int = 1, text: str = "") -> ScanResult:
    """A result with so many findings in so many files; `text` is put wherever text can be."""
    names = ["bank.py", *(f"package/module_{number}.py" for number in range(1, files))]
    source = tuple(line + (f"  # {text}" if text and line else "") for line in SOURCE)
    return ScanResult(
        findings=tuple(finding(number, names[number % files], text) for number in range(findings)),
        warnings=(Problem("no-python", f"no Python files found {text}", f"empty{text}"),),
        files=files,
        lines=dict.fromkeys(names, source),
        overview=overview(text),
    )


def page(scanned: ScanResult) -> str:
    return render(View(scanned, rules={rule.code: rule for rule in rule_book()}))
