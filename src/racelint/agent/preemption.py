"""Where each interpreter may really switch threads (placeholder until the model is in)."""
from __future__ import annotations
from typing import Any
def possibilities(search: Any, recorder: Any, schedule: Any) -> dict[str, str]:
    return {}
