"""Updates of weights from their gradients, in place; formulas are PyTorch's.

The numbers that change from step to step (``rates``) are read from memory, so that a program written once serves a
whole training.
"""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.interpret import Floats
from pellucid.kernels.pointwise import PART
from pellucid.kernels.tiles import vector_width


@cache
def sgd(nesterov: bool) -> Any:
    """Make the update v ← momentum·v + g, w ← w − lr·v, or w ← w − lr·(g + momentum·v) by Nesterov.

    Rates: lr, momentum, weight decay (g is g + decay·w).
    """

    def write(e: Any, rates: Any, w: Any, g: Any, v: Any, at: Any, valid: Any = None) -> None:
        lr, momentum, decay = (e.splat(rates, place) for place in range(3))
        weight = e.load(w, at, valid)
        gradient = weight.fma(decay, e.load(g, at, valid))
        velocity = e.load(v, at, valid).fma(momentum, gradient)
        e.store(velocity, v, at, valid)
        direction = velocity.fma(momentum, gradient) if nesterov else velocity
        e.store(weight - lr * direction, w, at, valid)

    @tile
    def whole(e: Any, rates: Any, w: Any, g: Any, v: Any, at: Any) -> None:
        write(e, rates, w, g, v, at)

    @tile
    def rest(e: Any, rates: Any, w: Any, g: Any, v: Any, at: Any, valid: Any) -> None:
        write(e, rates, w, g, v, at, valid)

    @kernel("sgd_nesterov" if nesterov else "sgd")
    def update(part: int, scratch: Floats, count: int, rates: Floats, w: Floats, g: Floats, v: Floats) -> None:
        at, last = part * PART, min(count, (part + 1) * PART)
        while at + vector_width() <= last:
            whole(rates, w, g, v, at)
            at += vector_width()
        if at < last:
            rest(rates, w, g, v, at, last - at)

    return update


def _adam(e: Any, rates: Any, w: Any, g: Any, mean: Any, square: Any, at: Any, valid: Any = None) -> None:
    new, old_square, new_square, step, correction, eps, decay, kept = (e.splat(rates, place) for place in range(8))
    weight = e.load(w, at, valid)
    gradient = weight.fma(decay, e.load(g, at, valid))
    before = e.load(mean, at, valid)
    first = (gradient - before).fma(new, before)
    second = (gradient * gradient).fma(new_square, e.load(square, at, valid) * old_square)
    e.store(first, mean, at, valid)
    e.store(second, square, at, valid)
    e.store(weight * kept - step * first / second.sqrt().fma(correction, eps), w, at, valid)


@tile
def adam_tile(e: Any, rates: Any, w: Any, g: Any, mean: Any, square: Any, at: Any) -> None:
    """Update one vector of weights."""
    _adam(e, rates, w, g, mean, square, at)


@tile
def adam_tile_rest(e: Any, rates: Any, w: Any, g: Any, mean: Any, square: Any, at: Any, valid: Any) -> None:
    """Update a part of a vector."""
    _adam(e, rates, w, g, mean, square, at, valid)


@kernel("adam")
def adam(
    part: int, scratch: Floats, count: int, rates: Floats, w: Floats, g: Floats, mean: Floats, square: Floats
) -> None:
    """M ← m + (1 − β₁)·(g − m), s ← β₂·s + (1 − β₂)·g², w ← kept·w − step·m / (√s·correction + ε).

    Rates: 1 − β₁, β₂, 1 − β₂, step = lr / (1 − β₁ᵗ), correction = 1 / √(1 − β₂ᵗ), ε, the decay in the gradient (g is
    g + decay·w), and what is kept of the weights (1 without AdamW's decay).
    """
    at, last = part * PART, min(count, (part + 1) * PART)
    while at + vector_width() <= last:
        adam_tile(rates, w, g, mean, square, at)
        at += vector_width()
    if at < last:
        adam_tile_rest(rates, w, g, mean, square, at, last - at)
