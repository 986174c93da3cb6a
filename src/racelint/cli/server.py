"""`racelint server`: findings in the editor, by the language server protocol over standard input and output."""

from __future__ import annotations

import click


@click.command()
def command() -> int:
    """Serve an editor over standard input and output (Language Server Protocol).

    Findings come when a file is opened, changed or saved, with both accesses; each can be silenced, or fixed where a
    fix is known. Needs the extra: pip install 'racelint[lsp]'.
    """
    try:
        from racelint.cli.language_server import serve
    except ImportError as error:
        raise click.ClickException(f"{error}; the server needs: pip install 'racelint[lsp]'") from None
    serve()
    return 0
