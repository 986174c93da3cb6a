"""Objects of one class and of none that is derived from it: what a call of the class by its name has made."""

from __future__ import annotations

from racelint.model.summary import ELEMENT, Path
from racelint.program.flow.values import Stored, Stores, class_behind
from racelint.program.names.index import ClassInfo, FunctionInfo, Index
from racelint.program.objects.families import descendants


class ExactTypes:
    """Answers for the paths of a program; told by the values that are stored there."""

    def __init__(self, index: Index, stores: Stores) -> None:
        self.index = index
        self.stores = stores
        self._plain: dict[str, bool] = {}

    def is_exact(self, path: Path, function: FunctionInfo) -> bool:
        """Whether what the path holds is made by naming its class: `Pipe()`, or a variable with nothing else."""
        if len(path) == 1 and path[0].startswith("c:"):
            return self._is_made(path, function)
        entries = self._stored(path, function)
        values = [(value, entry.function) for entry in entries for value in entry.value if value != ("k:None",)]
        return bool(values) and all(
            len(value) == 1 and value[0].startswith("c:") and self._is_made(value, maker) for value, maker in values
        )

    def _stored(self, path: Path, function: FunctionInfo) -> list[Stored]:
        """All that is put into a variable that inner functions use, or into an attribute of a method's object."""
        if len(path) == 1 and path[0].startswith("f:"):
            _, qualname, name = path[0].split(":", 2)
            return self.stores.captured.get((function.module.name, qualname, name), [])
        cls = class_behind(self.index, function, path[0]) if len(path) == 2 else None
        if cls is None:
            return []
        return [
            entry
            for each in (*cls.mro, *descendants(cls))
            for entry in self.stores.attributes.get((each.id, path[1]), [])
        ]

    def _is_made(self, path: Path, function: FunctionInfo) -> bool:
        call = self.stores.facts[function.id].made_by(path)
        if call is None or len(call.func) != 1:
            return False
        name = call.func[0][:-1] if call.func[0][-1] == ELEMENT else call.func[0]  # `Pipe[int]()`
        cls = self.index.entity_of(function.module, name) if name else None
        return type(cls) is ClassInfo and self._makes_itself(cls)

    def _makes_itself(self, cls: ClassInfo) -> bool:
        """Neither a metaclass nor `__new__` may choose another class."""
        if cls.id not in self._plain:
            self._plain[cls.id] = cls.method("__new__") is None and not any(base.ir.metaclass for base in cls.mro)
        return self._plain[cls.id]
