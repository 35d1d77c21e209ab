"""Class activation maps: a layer's maps, weighted by what they do for the score, in the layer's own cells."""

from __future__ import annotations

import numpy as np

from pellucid.analysis.receptive_field import plane_axes
from pellucid.errors import ParameterError
from pellucid.explain.attribution.score import Score
from pellucid.explain.attribution.settings import Found, Settings
from pellucid.nn.functional import apply
from pellucid.ops import Resize
from pellucid.types import Array, Pair


def grad_cam(score: Score, settings: Settings) -> Found:
    """Weigh each channel by its mean gradient (Selvaraju et al. 2017, arXiv:1610.02391): ReLU(Σ αₖ Aₖ)."""
    layer, maps, slopes = _at(score, settings.layer)
    return _weighted(layer, maps, slopes.mean(axis=(1, 2)))


def grad_cam_plus_plus(score: Score, settings: Settings) -> Found:
    """Weigh each channel by its positive gradients, those that are few the more (Chattopadhay et al. 2018).

    wₖ = Σ αₖ ReLU(gₖ) with αₖ = gₖ² / (2 gₖ² + gₖ³ Σ Aₖ); arXiv:1710.11063, equation 19, for the exponential of the
    score, whose own value is a factor of every weight and left out.
    """
    layer, maps, slopes = _at(score, settings.layer)
    below = 2 * slopes**2 + slopes**3 * maps.sum(axis=(1, 2), keepdims=True)
    alphas = np.divide(slopes**2, below, out=np.zeros_like(slopes), where=below != 0)
    return _weighted(layer, maps, (alphas * np.maximum(slopes, 0)).sum(axis=(1, 2)))


def layer_cam(score: Score, settings: Settings) -> Found:
    """Weigh each cell by its own positive gradient (Jiang et al. 2021, IEEE TIP 30): ReLU(Σ ReLU(gₖ) Aₖ)."""
    layer, maps, slopes = _at(score, settings.layer)
    cells = (np.maximum(slopes, 0) * maps).sum(axis=0)
    return Found(np.maximum(cells, 0), layer, cells=cells)


def score_cam(score: Score, settings: Settings) -> Found:
    """Weigh each channel by the score of the image seen through it (Wang et al. 2020, arXiv:1910.01279).

    A channel's map, scaled to 0…1 and interpolated, mixes the image with the baseline; the weights are the softmax of
    the scores. A map that is the same everywhere is no mask and weighs nothing.
    """
    layer, maps, _ = _at(score, settings.layer)
    low, high = maps.min(axis=(1, 2)), maps.max(axis=(1, 2))
    used = np.flatnonzero(high > low)
    weights = np.zeros(len(maps))
    start = float(score.of(1, lambda _: settings.baseline[None])[0])
    if len(used):
        scaled = ((maps[used] - low[used, None, None]) / (high - low)[used, None, None]).astype(score.image.dtype)

        def make(numbers: Array) -> Array:
            masks = interpolated(scaled[numbers], score.image.shape[1:])[:, None]  # (n, 1, H, W)
            made: Array = settings.baseline + masks * (score.image - settings.baseline)
            return made

        scores = score.of(len(used), make)
        shares = np.exp(scores - scores.max())
        weights[used] = shares / shares.sum()
    found = _weighted(layer, maps, weights)
    return Found(found.map, layer, baseline=start, cells=found.cells, weights=weights)


def interpolated(maps: Array, size: tuple[int, ...]) -> Array:
    """Return maps (n, h, w) interpolated bilinearly to a size: (n, H, W); the edges of both coincide."""
    resized: Array = apply(Resize((size[0], size[1]), "bilinear"), maps[None])[0]
    return resized


def _weighted(layer: str, maps: Array, weights: Array) -> Found:
    cells = np.tensordot(weights, maps, 1)  # (K,) · (K, h, w)
    return Found(np.maximum(cells, 0), layer, cells=cells, weights=weights)


def _at(score: Score, layer: str | None) -> tuple[str, Array, Array]:
    """Return a layer's name, and its maps and the score's gradient by them, (K, h, w), float64."""
    axes, planes = _planes(score)
    if layer is None:
        if not planes:
            raise ParameterError(
                "A class activation map needs a layer of more than one row or column before the score; "
                "the network has none."
            )
        layer = planes[-1]
    value = score.graph.layer(layer)
    last = f"the last that will do is '{planes[-1]}'" if planes else "the network has none"
    if value.name not in axes:
        raise ParameterError(
            f"A class activation map needs a layer of rows and columns; '{layer}' is {value.type}; {last}."
        )
    if value.name not in score.before:
        raise ParameterError(f"The score must be computed from the layer of a class activation map; it is not from "
                             f"'{layer}'; {last}.")  # fmt: skip
    slopes = score.at_image([layer])
    return layer, _planar(slopes.activations[layer], axes[value.name]), _planar(slopes.layers[layer], axes[value.name])


def _planes(score: Score) -> tuple[dict[str, Pair], list[str]]:
    """Return the axes of all planes, and the layers of more than one cell that come before the score, in order."""
    axes, layers = plane_axes(score.graph), []
    for node in score.graph.nodes:
        value = node.outputs[0]
        if (
            value.name in axes
            and value.name in score.before
            and any(value.shape[axis] > 1 for axis in axes[value.name])
        ):
            layers.append(node.name)
    return axes, layers


def _planar(values: Array, axes: Pair) -> Array:
    """Return a layer's numbers (1, …) as (K, h, w), whatever the order of its axes."""
    (channels,) = {1, 2, 3} - set(axes)
    planar: Array = values.transpose(0, channels, *axes)[0].astype(np.float64)
    return planar
