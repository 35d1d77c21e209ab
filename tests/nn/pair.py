"""The same network twice: written once for a library called nn, made with ours and with PyTorch's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import pellucid.nn as nn

Array = np.ndarray[Any, Any]


def both(write: Callable[..., Any], seed: int = 0) -> tuple[Any, Any]:
    """Return ``write(nn, cat)`` for both libraries, ours with PyTorch's weights."""
    torch.manual_seed(seed)
    theirs = write(torch.nn, torch.cat)
    ours = write(nn, nn.functional.cat)
    load(ours, theirs)
    return ours, theirs


def load(ours: nn.Module, theirs: torch.nn.Module) -> None:
    ours.load_state_dict({name: tensor.numpy() for name, tensor in theirs.state_dict().items()})


def images(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape or (2, 3, 8, 8)).astype("float32")


def assert_same(found: Any, expected: Any, bound: float = 2e-5) -> None:
    """Compare results of any structure; sums of some hundred float32 products of size 1."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        found, expected = list(found.values()), list(expected.values())
    if isinstance(expected, tuple | list):
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other, bound)
        return
    assert isinstance(found, np.ndarray)
    assert found.dtype.name == str(expected.dtype).removeprefix("torch.")
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=bound, atol=bound)


def assert_same_state(ours: nn.Module, theirs: torch.nn.Module) -> None:
    state = ours.state_dict()
    assert list(state) == list(theirs.state_dict())
    for name, tensor in theirs.state_dict().items():
        assert_same(state[name], tensor)
