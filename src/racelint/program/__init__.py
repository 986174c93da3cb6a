"""All files together: who calls whom, who runs in parallel, who holds what. No syntax trees, no policy."""

from racelint.program.linker import Program, link, unlink

__all__ = ["Program", "link", "unlink"]
