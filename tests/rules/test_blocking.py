"""How grave a wait under a lock is: RL205."""

from __future__ import annotations

from pathlib import Path

from tests.rules.conftest import Check

FIXTURES = Path(__file__).parent.parent / "fixtures" / "rl205"


def severities(check: Check, name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in check((FIXTURES / name).read_text(), "RL205"):
        found.setdefault(finding.symbol.partition(".")[0], set()).add(finding.severity)
    return found


def test_waiting_for_who_needs_the_lock_is_an_error_and_else_a_warning(check: Check) -> None:
    found = severities(check, "blocking.py")
    errors = {symbol for symbol, levels in found.items() if levels == {"error"}}
    assert errors == {"Live_bad", "Progress_bad", "Summer_bad", "Inbox_bad"}
    assert all(levels == {"warning"} for symbol, levels in found.items() if symbol not in errors)


def test_what_the_lock_is_for_is_only_mentioned(check: Check) -> None:
    found = severities(check, "safe.py")
    assert found.keys() >= {"Lifecycle_ok", "config_ok", "Signals_ok", "Writer_ok", "Limiter_ok"}
    assert all(levels == {"info"} for levels in found.values())


def test_the_message_names_the_call_and_who_waits(check: Check) -> None:
    source = (FIXTURES / "blocking.py").read_text()
    found = {finding.symbol: finding for finding in check(source, "RL205")}
    assert "`Pool_bad._lock` is held while `socket.create_connection()`" in found["Pool_bad.get"].message
    assert "through `connected` (by way of `Pool_bad._open`)" in found["Pool_bad.get"].why
    assert "`Live_bad._run` needs the lock" in found["Live_bad.stop"].why
    assert [step.role for step in found["Pool_bad.get"].trace] == ["lock", "call", "call", "access"]
