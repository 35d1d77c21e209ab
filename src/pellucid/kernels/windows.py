"""Which cells of one axis an output reads, as tables: all the geometry that pooling, resizing and padding need.

So their kernels know nothing of strides, dilation, borders or scales; and the gradient of each reads the transposed
table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pellucid.types import Array


@dataclass(frozen=True)
class Windows:
    """For each output along one axis, the cells that it reads and their weights.

    In memory the table is (outputs + 1) starts, then the cells; output i reads those at starts[i] … starts[i + 1] − 1.
    ``weights`` lies alike: first a divisor for each output (and a 1), then a weight for each cell.
    """

    table: Array
    weights: Array
    outputs: int

    @classmethod
    def of(
        cls, cells: Iterable[Sequence[int]], weights: Iterable[Sequence[float]] = (), divisors: Sequence[float] = ()
    ) -> Windows:
        """Write the table down; weights and divisors are 1 unless given.

        >>> Windows.of([[0, 1], [1, 2]]).table.tolist()
        [3, 5, 7, 0, 1, 1, 2]
        """
        lists = [list(row) for row in cells]
        outputs = len(lists)
        starts = np.cumsum([outputs + 1, *map(len, lists)])
        flat = [cell for row in lists for cell in row]
        shares = [weight for row in weights for weight in row] or [1.0] * len(flat)
        heads = [*divisors, 1.0] if len(divisors) else [1.0] * (outputs + 1)
        return cls(np.array([*starts, *flat], np.int64), np.array([*heads, *shares], np.float32), outputs)

    @property
    def counts(self) -> Array:
        """How many cells each output reads."""
        return np.diff(self.table[: self.outputs + 1])

    def transposed(self, size: int) -> Windows:
        """For each of ``size`` cells, the outputs that read it, in rising order, weights divided by the divisors."""
        readers: list[list[int]] = [[] for _ in range(size)]
        shares: list[list[float]] = [[] for _ in range(size)]
        for output in range(self.outputs):
            for place in range(self.table[output], self.table[output + 1]):
                cell = self.table[place]
                readers[cell].append(output)
                shares[cell].append(float(self.weights[place]) / float(self.weights[output]))
        return Windows.of(readers, shares)
