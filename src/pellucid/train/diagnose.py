"""Finding where numbers went wrong."""

import numpy as np

from pellucid.train.gradients import Differentiated
from pellucid.types import Array


def why_not_finite(differentiated: Differentiated, x: Array, target: Array, key: Array) -> str:
    """Say which layer's output or gradient first held NaN or infinity, by computing the step again.

    The step must not have changed the weights.
    """
    with np.errstate(all="ignore"):
        values = differentiated.forward_values(x, target, key)
    for name, array in values.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            what = "infinity" if not np.isnan(array).any() else "NaN"
            if name.startswith("d."):
                layer = name.removeprefix("d.").partition(":")[0].rpartition(".")[0]
                return f"the gradient of layer '{layer}' holds {what}"
            return f"the output of layer '{name.partition(':')[0]}' holds {what}"
    return "a value was NaN or infinite that is finite now: the network is not deterministic"
