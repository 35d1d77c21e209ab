"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, Self

from pellucid.errors import ParameterError
from pellucid.nn.module import Module


class _Numbered(Module):
    """Holds modules in order, under their numbers or given names."""

    def _items(self) -> list[Module]:
        return list(self.children())

    def __len__(self) -> int:
        return len(self._items())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._items())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._part(dict(list(self.named_children())[index]))
        return self._items()[index]

    def _part(self, named: dict[str, Module]) -> Any:
        """Hold some of the modules, for a slice."""
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        name = [name for name, _ in self.named_children()][index]
        self._place(name, module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        taken = {name for name, _ in self.named_children()}  # a slice keeps its numbers, which need not start at 0
        self._place(next(str(n) for n in count(len(self)) if str(n) not in taken), module)
        return self

    def _place(self, name: Any, module: Any) -> None:
        if not isinstance(module, Module):
            raise ParameterError(
                f"{type(self).__name__} holds modules; got {type(module).__name__}. Forgot to call a layer's class?"
            )
        if not isinstance(name, str) or not name or "." in name or self._is_attribute(name):
            raise ParameterError(
                f"A module's name in {type(self).__name__} must be text without a dot and no attribute's; got {name!r}."
            )
        setattr(self, name, module)

    def _is_attribute(self, name: str) -> bool:
        return hasattr(type(self), name) or (name in vars(self) and not isinstance(vars(self)[name], Module))


class Sequential(_Numbered):
    """Run modules one after another: given in order, or in a dict with their names.

    >>> from pellucid.nn import Conv2d, ReLU
    >>> Sequential(Conv2d(1, 4, 3), ReLU())
    Sequential(
      (0): Conv2d(1, 4, kernel_size=(3, 3), stride=(1, 1))
      (1): ReLU()
    )
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        named: Iterable[tuple[str, Any]] = ((str(index), module) for index, module in enumerate(modules))
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            named = modules[0].items()
        for name, module in named:
            self._place(name, module)

    def _part(self, named: dict[str, Module]) -> Sequential:
        return Sequential(named)

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x


class ModuleList(_Numbered):
    """A list of modules that a network's ``forward`` uses as it likes."""

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        super().__init__()
        for module in modules:
            self.append(module)

    def _part(self, named: dict[str, Module]) -> ModuleList:
        return ModuleList(named.values())
