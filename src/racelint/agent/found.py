"""What a search came upon."""

from __future__ import annotations

from typing import Any

from .outcome import Outcome


class Found:
    """A wrong outcome and the plan that gave it; `effect` as in `Answer`.

    `in_doubt`: the counterfactual has not been searched far enough to tell whose doing it is. `schedule` is the plan
    by sites, where it is known already.
    """

    def __init__(
        self, outcome: Outcome, plan: dict[int, int], effect: str, hot: list[int], in_doubt: bool = False
    ) -> None:
        self.outcome = outcome
        self.plan = plan
        self.effect = effect
        self.hot = bytes(hot)
        self.in_doubt = in_doubt
        self.schedule: dict[str, Any] | None = None
