"""The weights of a convolution, as filters to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pellucid.errors import DataError, ParameterError
from pellucid.explain.gabor import GaborFit, fit_gabors, principal_planes
from pellucid.explain.maps import chosen_channels
from pellucid.graph import Graph, Node
from pellucid.nn import Module
from pellucid.ops import Conv2d
from pellucid.types import Array, Pair, Shape


@dataclass(frozen=True, slots=True, eq=False)
class Filters:
    """A convolution's filters as they lie on its input: ``weights`` are (O, C/groups, KH, KW).

    ``bias`` is (O,) or None; ``first`` says whether the layer reads the image itself; ``order`` holds the chosen
    filters.
    """

    layer: str
    weights: Array
    bias: Array | None
    stride: Pair
    groups: int
    first: bool
    order: tuple[int, ...]

    @property
    def norms(self) -> Array:
        """Length of each filter, the root of its sum of squares, float64 (O,)."""
        flat = self.weights.reshape(len(self.weights), -1).astype(np.float64)
        return np.asarray(np.linalg.norm(flat, axis=1))

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, without the weights."""
        norms, bias = self.norms.tolist(), None if self.bias is None else self.bias.tolist()
        return {
            "layer": self.layer,
            "shape": list(self.weights.shape),
            "stride": list(self.stride),
            "groups": self.groups,
            "filters": [
                {"filter": index, "norm": norms[index], "bias": None if bias is None else float(bias[index])}
                for index in self.order
            ],
        }


@dataclass(frozen=True, slots=True, eq=False)
class GaborStudy:
    """Gabor functions fitted to the chosen filters, beside those fitted to random filters of the same size.

    Of several input channels the filter's principal plane is fitted: ``planes`` are (N, KH, KW), ``directions``
    (N, C) how much of each channel they are of, ``shares`` (N,) how much of the filter's sum of squares they hold.
    ``random`` holds R² of random filters.
    """

    fits: tuple[GaborFit, ...]
    planes: Array
    directions: Array
    shares: Array
    random: Array

    @property
    def r2(self) -> Array:
        """R² of each fit, (N,); NaN for a constant filter."""
        return np.array([fit.r2 for fit in self.fits])

    @property
    def median(self) -> float:
        """Median R² of the filters that are not constant; NaN where all are."""
        known = self.r2[~np.isnan(self.r2)]
        return float(np.median(known)) if len(known) else float("nan")

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values, without the planes."""
        return {
            "median_r2": None if np.isnan(self.median) else self.median,
            "random_median_r2": float(np.median(self.random)),
            "random_95_r2": float(np.percentile(self.random, 95)),
            "fits": [
                {**fit.as_dict(), "share": share, "direction": direction}
                for fit, share, direction in zip(self.fits, self.shares.tolist(), self.directions.tolist(), strict=True)
            ],
        }


def layer_filters(
    net: Module, layer: str | None = None, filters: Sequence[int] | None = None, *, shape: Shape | None = None
) -> Filters:
    """Read the filters of a convolution; by default the first, and all of them.

    ``shape`` is that of an image (C, H, W), for a network that does not say it. Raises ParameterError where there is
    no such layer or filter, the layer is no convolution, or its weights are computed from others; DataError where a
    number is NaN or infinite.

    >>> import pellucid as pel
    >>> found = layer_filters(pel.zoo.build("tiny"))
    >>> found.layer, found.weights.shape, found.first
    ('conv1', (4, 1, 3, 3), True)
    """
    with net.evaluating():
        graph = net.graph((1, *_input(net, shape)))
    arrays = net.arrays()
    node = first_convolution(graph) if layer is None else _named(graph, layer)
    if node is None:
        raise ParameterError("The network must have a convolution with weights of its own; there is none.")
    assert isinstance(node.op, Conv2d)
    image, weight, bias = node.inputs
    assert image is not None
    assert weight is not None
    weights = arrays[weight.name]
    biases = arrays[bias.name].copy() if bias is not None and bias.name in arrays else None
    if not (np.isfinite(weights).all() and (biases is None or np.isfinite(biases).all())):
        raise DataError(f"The weights of '{node.name}' must be finite; got NaN or infinity; train the network anew.")
    return Filters(
        layer=node.name if layer is None else layer,
        weights=(weights[:, :, ::-1, ::-1] if node.op.flip else weights).copy(),
        bias=biases,
        stride=node.op.stride,
        groups=node.op.groups,
        first=image.name in graph.inputs,
        order=chosen_channels(node.name, len(weights), filters),
    )


def gabor_study(filters: Filters, random: Array) -> GaborStudy:
    """Fit a Gabor function to each chosen filter. Raises ParameterError where the filters are too small.

    ``random`` is R² of random filters of that size, from :func:`pellucid.explain.gabor.random_r2`.
    """
    planes, directions, shares = principal_planes(filters.weights[list(filters.order)])
    return GaborStudy(tuple(fit_gabors(planes)), planes, directions, shares, random)


def first_convolution(graph: Graph) -> Node | None:
    """Return the first convolution whose weights are a parameter, or None where there is none."""
    return next((node for node in graph.nodes if _has_weights(graph, node)), None)


def _input(net: Module, shape: Shape | None) -> Shape:
    if shape is not None:
        return tuple(shape)
    if "input" in net.metadata:
        return tuple(net.metadata["input"])
    if net.last_shapes:
        return net.last_shapes[0]
    raise ParameterError("The network does not say which images it takes; give 'shape' as (C, H, W).")


def _has_weights(graph: Graph, node: Node) -> bool:
    weight = node.inputs[1] if isinstance(node.op, Conv2d) else None
    return weight is not None and weight.name in graph.parameters


def _named(graph: Graph, layer: str) -> Node:
    node = graph.layer(layer).node
    if node is None or not _has_weights(graph, node):
        named = [found.name for found in graph.nodes if _has_weights(graph, found)]
        kind = "no operation" if node is None else node.op.kind
        few = ", ".join(named[:8]) + (", …" if len(named) > 8 else "") if named else "none"
        raise ParameterError(
            f"The layer '{layer}' must be a convolution with weights of its own; it is {kind}; there are {few}."
        )
    return node
