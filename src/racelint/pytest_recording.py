"""`pytest --racelint-record`: from the first import of a test to the end of the last one, in every worker of xdist."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from racelint.confirm.recorded import Recorded, write_recorded
from racelint.confirm.recorder import Recorder

OUTPUT = "racelint_recorded"
"""What a worker hands to the process that started it."""


class Recording:
    """The plugin of one run; in a run that is spread over workers, of each of them and of the one that started them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._recorder = Recorder(config.rootpath)
        self._recorded = Recorded()
        self._note = ""

    def pytest_sessionstart(self) -> None:
        """Begin to listen."""
        self._recorder.start()

    def pytest_sessionfinish(self) -> None:
        """Keep what was heard."""
        self._recorded = self._recorded.merged(self._recorder.stop())
        worker: dict[str, Any] | None = getattr(self._config, "workeroutput", None)
        if worker is not None:
            worker[OUTPUT] = msgspec.json.encode(self._recorded).decode()
            return
        try:
            path = write_recorded(self._recorded, self._config.rootpath)
        except OSError as error:
            self._note = f"racelint: {error.filename}: {error.strerror}: nothing was kept of what the tests pass"
            return
        self._note = f"racelint: calls of {len(self._recorded.calls)} functions and classes are kept in {path.name}"

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist has ended."""
        text = (getattr(node, "workeroutput", None) or {}).get(OUTPUT)
        if text:
            self._recorded = self._recorded.merged(msgspec.json.decode(text, type=Recorded))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say where it is."""
        terminalreporter.write_line(self._note)
