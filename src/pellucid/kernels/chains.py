"""Multiply-adds that wait for nothing, by which the machine's peak is measured."""

from functools import cache
from typing import Any

from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.interpret import Floats

CHAINS = 12
"""Independent sums, more than two units of four cycles' latency can have under way."""


@cache
def fma_chains() -> Any:
    """Make the kernel that takes so many steps s ← s·½ + 1 in each chain; the sums end in ``scratch``."""

    @tile
    def chains(e: Any, sums: Any, steps: Any) -> None:
        def step(index: Any, state: list[Any]) -> list[Any]:
            return [one.fma(0.5, e.lift(1.0)) for one in state]

        for place, one in enumerate(e.loop(steps, [e.zero()] * CHAINS, step)):
            e.store(one, sums, place * e.width)

    @kernel("fma_chains")
    def run(part: int, scratch: Floats, steps: int) -> None:
        chains(scratch, steps)

    return run
