"""What runs while a module is imported, and which modules are."""

from __future__ import annotations

from functools import cached_property

from racelint.model.summary import AnyNode, Branch
from racelint.program.flow.walk import place_of
from racelint.program.linker import Program
from racelint.program.names.index import FunctionInfo, ModuleInfo
from racelint.program.names.thread_root import ThreadRoot
from racelint.program.threads.context import Context


class Importing:
    """Answers for the code of a program's modules and classes."""

    def __init__(self, program: Program) -> None:
        self.program = program

    @cached_property
    def imported(self) -> frozenset[str]:
        """The modules that another one of the program imports, at its top level or in a function."""
        found: set[str] = set()
        index = self.program.index
        for module in index.all_modules:
            for entry in module.summary.imports:
                dotted = index.resolve_module(module, entry.module, entry.level)
                names = {module.source.renamed.get(dotted, dotted)}
                names.add(f"{dotted}.{entry.attribute}")
                found |= {name for name in names if name in index.modules and name != module.name}
        return frozenset(found)

    def is_imported(self, module: ModuleInfo) -> bool:
        """Imported by others, or made for it: the face of a package, or a module that says what it exports."""
        if module.source.path.endswith("__main__.py"):
            return False
        made_for_it = "__all__" in module.variables or module.source.path.endswith("__init__.py")
        return made_for_it or module.name in self.imported

    def precedes(self, root: ThreadRoot, context: Context) -> bool:
        """Entered while a module is imported: before all threads but those that are started by an import, too."""
        if not root.starters or not self._is_of_import(context):
            return False
        return not any(
            starter.ir.kind in ("module", "class") or any(map(self._is_of_import, self.program.reach.of(starter)))
            for starter in root.starters
        )

    def _is_of_import(self, context: Context) -> bool:
        """Called, in any number of steps, by the own code of a module that others import."""
        chain = context.chain()
        if context.root is not None or len(chain) < 2 or not self.is_imported(chain[0].function.module):
            return False
        return self.runs_at_import(chain[0].function, chain[1].site)

    @staticmethod
    def runs_at_import(function: FunctionInfo, event: int) -> bool:
        """An event of a module's or class's own code, outside of a main guard."""
        if function.ir.kind not in ("module", "class") or function.ir.parent:
            return False
        return not any(_is_main_guard(place.node, place.block) for place in place_of(function, event))


def _is_main_guard(node: AnyNode | None, block: tuple[AnyNode, ...]) -> bool:
    return isinstance(node, Branch) and node.constant == "main" and block is node.then
