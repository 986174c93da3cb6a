"""The language server, driven by a real client over standard input and output."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import race

pytest.importorskip("pygls")
from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.client import BaseLanguageClient


class Client(BaseLanguageClient):
    """Keeps what the server says."""

    def __init__(self) -> None:
        super().__init__("test", "1")
        self.published: asyncio.Queue[lsp.PublishDiagnosticsParams] = asyncio.Queue()
        self.shown: asyncio.Queue[str] = asyncio.Queue()

        @self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: lsp.PublishDiagnosticsParams) -> None:
            self.published.put_nowait(params)

        @self.feature(lsp.WINDOW_SHOW_MESSAGE)
        def shown(params: lsp.ShowMessageParams) -> None:
            self.shown.put_nowait(params.message)

    async def diagnostics(self) -> list[lsp.Diagnostic]:
        return list((await asyncio.wait_for(self.published.get(), 60)).diagnostics)


async def session(folder: Path, talk: Any) -> None:
    client = Client()
    await client.start_io(sys.executable, "-m", "racelint", "server", cwd=str(folder))
    try:
        root = uris.from_fs_path(str(folder))
        await client.initialize_async(lsp.InitializeParams(capabilities=lsp.ClientCapabilities(), root_uri=root))
        client.initialized(lsp.InitializedParams())
        await talk(client)
        await client.shutdown_async(None)
        client.exit(None)
    finally:
        await client.stop()


def opened(path: Path, text: str) -> lsp.DidOpenTextDocumentParams:
    uri = uris.from_fs_path(str(path))
    assert uri is not None
    return lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, "python", 1, text))


def talk_with(folder: Path, talk: Any) -> None:
    (folder / "pyproject.toml").write_text("")
    asyncio.run(session(folder, talk))


def test_findings_of_an_open_document_its_edits_and_their_silencing(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("")
    text = race().replace("        self.n += 1", "        '𝔘'; self.n += 1")

    async def talk(client: Client) -> None:
        client.text_document_did_open(opened(path, text))
        (found,) = await client.diagnostics()
        assert (found.code, found.source, found.severity) == ("RL101", "racelint", lsp.DiagnosticSeverity.Error)
        assert (found.range.start.line, found.range.start.character) == (8, 14), "UTF-16, as editors count"
        assert found.related_information
        assert {info.location.uri for info in found.related_information} == {path.as_uri()}
        document = lsp.TextDocumentIdentifier(path.as_uri())
        asked = lsp.CodeActionParams(document, found.range, lsp.CodeActionContext([found]))
        actions = await client.text_document_code_action_async(asked)
        assert actions
        silencing = actions[-1]
        assert isinstance(silencing, lsp.CodeAction) and silencing.edit is not None and silencing.edit.changes
        (edit,) = silencing.edit.changes[path.as_uri()]
        assert edit.new_text == "        '𝔘'; self.n += 1  # racelint: ignore[RL101]"
        assert (edit.range.start.line, edit.range.end.character) == (8, len("        '𝔘'; self.n += 1") + 1)
        silenced = text.replace("        '𝔘'; self.n += 1", edit.new_text)
        change = lsp.TextDocumentContentChangeWholeDocument(silenced)
        version = lsp.VersionedTextDocumentIdentifier(2, path.as_uri())
        client.text_document_did_change(lsp.DidChangeTextDocumentParams(version, [change]))
        assert await client.diagnostics() == []
        client.text_document_did_close(lsp.DidCloseTextDocumentParams(document))
        assert await client.diagnostics() == []

    talk_with(tmp_path, talk)


def test_a_fix_is_offered_first(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    text = "import threading\n\nt = threading.Thread(target=print).start()\n"
    path.write_text(text)

    async def talk(client: Client) -> None:
        client.text_document_did_open(opened(path, text + "t.join()\n"))
        (found, *_) = await client.diagnostics()
        asked = lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(path.as_uri()), found.range, lsp.CodeActionContext([found])
        )
        actions = await client.text_document_code_action_async(asked)
        assert actions
        titles = [action.title for action in actions]
        assert titles[-1] == f"{found.code}: silence it here"
        assert all(isinstance(action, lsp.CodeAction) and action.kind == "quickfix" for action in actions)

    talk_with(tmp_path, talk)


def test_a_thread_in_another_file_of_the_project_counts(tmp_path: Path) -> None:
    path = tmp_path / "counter.py"
    text = "class Counter:\n    n = 0\n\n    def add(self):\n        self.n += 1\n"
    path.write_text(text)
    (tmp_path / "app.py").write_text(
        "import threading\nfrom counter import Counter\n\nc = Counter()\n"
        + "threading.Thread(target=c.add).start()\n" * 2
    )

    async def talk(client: Client) -> None:
        client.text_document_did_open(opened(path, text))
        (found,) = await client.diagnostics()
        assert found.related_information
        assert (tmp_path / "app.py").as_uri() in {info.location.uri for info in found.related_information}

    talk_with(tmp_path, talk)


def test_a_wrong_configuration_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    (tmp_path / "racelint.toml").write_text("selct = []\n")

    async def talk(client: Client) -> None:
        client.text_document_did_open(opened(path, ""))
        assert "did you mean `select`?" in await asyncio.wait_for(client.shown.get(), 60)

    talk_with(tmp_path, talk)
