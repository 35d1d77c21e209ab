"""Softmax and its logarithm: the exponentials of a row, and their sum."""

import math

import numpy as np

from pellucid.explain.cells import rounding
from pellucid.explain.cells.parts import Arithmetic, Operand, Site, Step, counted, mesh
from pellucid.explain.numbers import factor, number
from pellucid.ops import LogSoftmax, Softmax


def share(site: Site) -> Arithmetic:
    """Divide an exponential by the sum of all; or take the logarithm of that."""
    op = site.op
    assert isinstance(op, Softmax | LogSoftmax)
    row = (range(site.x.shape[axis]) if axis == op.axis else place for axis, place in enumerate(site.index))
    found = site.read(mesh(*row))
    values, x = found.values.astype(np.float64), float(site.x[site.index])
    largest = float(values.max())
    terms = np.exp(values - largest)
    total = float(terms.sum())
    spread = float((abs(values - largest) * terms).sum()) / total  # a rounded x − largest moves its exponential
    own, away = math.exp(x - largest), abs(x - largest)
    steps = [
        Step(f"largest of {counted(len(values), 'number')}", "", largest),
        Step("e^(x − largest)", f"e^({number(x)} − {factor(largest)})", own),
        Step(f"sum of {counted(len(values), 'exponential')}", "", total),
    ]
    operand = Operand(found.layer, found.values, found.where, terms=terms, term="e^(x − largest)")
    roundings = len(values) + spread + 16
    if isinstance(op, Softmax):
        steps.append(Step("e^(x − largest) / sum", f"{number(own)} / {number(total)}", own / total))
        bound = rounding.of_value(own / total, site.x.dtype, roundings + away, len(values))
        return Arithmetic("e^x / sum of all e^x", (operand,), tuple(steps), own / total, bound)
    logarithm = math.log(total)
    result = x - largest - logarithm
    numbers = f"{number(x)} − {factor(largest)} − {factor(logarithm)}"
    steps = [steps[0], steps[2], Step("log of the sum", f"log({number(total)})", logarithm)]
    steps.append(Step("x − largest − log of the sum", numbers, result))
    bound = rounding.epsilon(site.x.dtype) * (2 * away + 8 * logarithm + roundings)
    return Arithmetic("x − log of the sum of all e^x", (operand,), tuple(steps), result, bound)
