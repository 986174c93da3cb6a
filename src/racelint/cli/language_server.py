"""The language server: documents in, diagnostics and code actions out. What a finding is, it takes from the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer
from pygls.workspace import TextDocument

from racelint import __version__
from racelint.config.hierarchy import load_hierarchy
from racelint.config.load import ConfigError, project_root
from racelint.engine.add_ignore import with_ignores
from racelint.engine.cache import FOLDER
from racelint.engine.fixing import offered
from racelint.engine.own_rules import OWN_RULES
from racelint.engine.scan import ScanOptions, scanned
from racelint.engine.selection import unknown_selectors
from racelint.model.finding import Finding, Severity

PAUSE = 0.4
"""Seconds without a keystroke before a changed document is scanned."""

_SEVERITIES: dict[Severity, lsp.DiagnosticSeverity] = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
    "info": lsp.DiagnosticSeverity.Information,
}
_OWN_CODES = frozenset(rule.code for rule in OWN_RULES)


class Server(LanguageServer):
    """Keeps the last findings of each open document, and the scan that is to come."""

    def __init__(self) -> None:
        super().__init__("racelint", __version__)
        self.findings: dict[str, tuple[Finding, ...]] = {}
        self._due: dict[str, asyncio.Task[None]] = {}

    def refresh(self, uri: str, pause: float = 0.0) -> None:
        """Scan the document after `pause` seconds, unless another refresh comes first."""
        self.forget(uri)
        self._due[uri] = asyncio.ensure_future(self._refresh(uri, pause))

    def forget(self, uri: str) -> None:
        """Drop the scan that is to come."""
        due = self._due.pop(uri, None)
        if due is not None:
            due.cancel()

    async def _refresh(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        document = self.workspace.get_text_document(uri)
        unsaved = {open_.path: open_.source.encode() for open_ in self.workspace.text_documents.values()}
        try:
            self.findings[uri] = await asyncio.to_thread(_findings, document.path, unsaved)
        except ConfigError as error:
            self.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, f"racelint: {error}"))
            return
        diagnostics = [_diagnostic(finding, document) for finding in self.findings[uri]]
        self.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, diagnostics, version=document.version))


def serve() -> None:
    """Answer the editor until it says goodbye."""
    build().start_io()


def build() -> Server:
    """A server with its features."""
    server = Server()

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: lsp.DidOpenTextDocumentParams) -> None:
        server.refresh(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: lsp.DidSaveTextDocumentParams) -> None:
        server.refresh(params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: lsp.DidChangeTextDocumentParams) -> None:
        server.refresh(params.text_document.uri, PAUSE)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: lsp.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)
        server.findings.pop(params.text_document.uri, None)
        server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(params.text_document.uri, []))

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions([lsp.CodeActionKind.QuickFix]))
    def actions(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        document = server.workspace.get_text_document(params.text_document.uri)
        asked = {str(diagnostic.data) for diagnostic in params.context.diagnostics if diagnostic.data}
        found = [finding for finding in server.findings.get(document.uri, ()) if finding.fingerprint in asked]
        return [action for finding in found for action in _actions(finding, document)]

    return server


def _findings(path: str, unsaved: dict[str, bytes]) -> tuple[Finding, ...]:
    """What a scan finds in one file, in the light of its whole project, each with its fix. Raises ConfigError."""
    folder = str(Path(path).parent)
    hierarchy = load_hierarchy(folder, check=unknown_selectors)
    options = ScanOptions(hierarchy=hierarchy, whole_project=True, unsaved=unsaved, cache=FOLDER)
    return offered(scanned([path], options, project_root(folder))).findings


def _diagnostic(finding: Finding, document: TextDocument) -> lsp.Diagnostic:
    place = _range(document, (finding.line, finding.column), (finding.end_line, finding.end_column))
    return lsp.Diagnostic(
        place,
        message=": ".join(filter(None, (finding.message, finding.why))),
        severity=_SEVERITIES[finding.severity],
        code=finding.code,
        source="racelint",
        related_information=list(_related(finding, document)),
        tags=[lsp.DiagnosticTag.Unnecessary] if finding.code == "RL901" else None,
        data=finding.fingerprint,
    )


def _related(finding: Finding, document: TextDocument) -> Iterator[lsp.DiagnosticRelatedInformation]:
    """The steps of the trace, each where it happens."""
    root = Path(project_root(str(Path(document.path).parent)))
    for step in finding.trace:
        start = lsp.Position(step.line - 1, step.column - 1)
        uri = uris.from_fs_path(str(root / step.path))
        if uri is not None:
            yield lsp.DiagnosticRelatedInformation(lsp.Location(uri, lsp.Range(start, start)), step.message)


def _range(document: TextDocument, start: tuple[int, int], end: tuple[int, int]) -> lsp.Range:
    """1-based lines and columns in characters, as the editor counts them."""
    plain = lsp.Range(lsp.Position(start[0] - 1, start[1] - 1), lsp.Position(end[0] - 1, end[1] - 1))
    return document.position_codec.range_to_client_units(document.lines, plain)


def _actions(finding: Finding, document: TextDocument) -> Iterator[lsp.CodeAction]:
    """The fix first, where there is one, then the comment that silences the finding."""
    if finding.fix is not None and finding.fix.applicability != "display-only":
        edits = [
            lsp.TextEdit(_range(document, (edit.line, edit.column), (edit.end_line, edit.end_column)), edit.content)
            for edit in finding.fix.edits
        ]
        yield _action(
            f"{finding.code}: {finding.fix.message}", edits, document, preferred=finding.fix.applicability == "safe"
        )
    if finding.code not in _OWN_CODES:
        yield _action(f"{finding.code}: silence it here", list(_silencing(finding, document)), document)


def _silencing(finding: Finding, document: TextDocument) -> Iterator[lsp.TextEdit]:
    """The line that gets the comment."""
    before = document.lines
    after = with_ignores(document.source.encode(), [finding]).decode().splitlines(keepends=True)
    for number, (old, new) in enumerate(zip(before, after, strict=False), 1):
        if old != new:
            text = old.rstrip("\r\n")
            yield lsp.TextEdit(_range(document, (number, 1), (number, len(text) + 1)), new.rstrip("\r\n"))


def _action(
    title: str, edits: Sequence[lsp.TextEdit], document: TextDocument, *, preferred: bool = False
) -> lsp.CodeAction:
    return lsp.CodeAction(
        title,
        kind=lsp.CodeActionKind.QuickFix,
        edit=lsp.WorkspaceEdit(changes={document.uri: list(edits)}),
        is_preferred=preferred,
    )
