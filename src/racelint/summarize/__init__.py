"""One file's source to its ModuleSummary: pure, so that it can be cached, run in any process and shipped."""

from racelint.summarize.module import resummarize, summarize_source

__all__ = ["resummarize", "summarize_source"]
