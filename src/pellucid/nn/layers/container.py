"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
            return type(self)._of(dict(list(self.named_children())[index]))
        return self._items()[index]

    @classmethod
    def _of(cls, named: Mapping[str, Module]) -> Any:
        made = cls()
        for name, module in named.items():
            setattr(made, name, _checked(module, cls.__name__))
        return made

    def append(self, module: Module) -> Any:
        """Add a module at the end."""
        setattr(self, str(len(self)), _checked(module, type(self).__name__))
        return self


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
            setattr(self, name, _checked(module, "Sequential"))

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


def _checked(module: Any, owner: str) -> Module:
    if not isinstance(module, Module):
        raise ParameterError(f"{owner} holds modules; got {type(module).__name__}. Forgot to call a layer's class?")
    return module
