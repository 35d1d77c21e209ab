"""Which pixels the score of a class comes from."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pellucid.errors import DataError, ParameterError, nearest
from pellucid.explain.attribution import by_gradients, cams, occlusion
from pellucid.explain.attribution.record import Attribution
from pellucid.explain.attribution.score import Progress, Score
from pellucid.explain.attribution.settings import Baseline, Found, Method, Settings, checked
from pellucid.explain.attribution.words import words
from pellucid.nn import Module
from pellucid.types import Array, Pair

if TYPE_CHECKING:
    from PIL import Image

METHODS = {
    "gradient": Method(by_gradients.gradient),
    "gradient-times-input": Method(
        by_gradients.gradient_times_input, blank="the gradient is 0 wherever the image differs from 0"
    ),
    "smooth-grad": Method(
        by_gradients.smooth_grad,
        ("samples", "noise"),
        blank="the gradients of the noisy copies are 0, or cancel each other",
    ),
    "integrated-gradients": Method(
        by_gradients.integrated_gradients,
        ("baseline", "steps", "tolerance"),
        blank="on the way from the baseline, the gradient is 0 or cancels wherever the image differs from the baseline",
    ),
    "guided-backprop": Method(by_gradients.guided_backprop, has_all_it_needs=False),
    "occlusion": Method(
        occlusion.occlusion, ("baseline", "window", "stride"), blank="hiding any window leaves the score as it is"
    ),
    "grad-cam": Method(cams.grad_cam, ("layer",), has_all_it_needs=False),
    "grad-cam++": Method(cams.grad_cam_plus_plus, ("layer",), has_all_it_needs=False),
    "layer-cam": Method(cams.layer_cam, ("layer",), has_all_it_needs=False),
    "score-cam": Method(cams.score_cam, ("layer", "baseline"), has_all_it_needs=False),
}
"""By name; what each computes says its function."""


def attribute(
    net: Module,
    image: Array | Image.Image,
    target: str | int | None = None,
    method: str = "integrated-gradients",
    *,
    layer: str | None = None,
    baseline: Baseline | None = None,
    steps: int | None = None,
    tolerance: float | None = None,
    samples: int | None = None,
    noise: float | None = None,
    window: int | Pair | None = None,
    stride: int | Pair | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Attribution:
    """Say how much each pixel of an image has to do with the score of a class.

    The score is the class's number before any softmax or sigmoid at the end. Images go through the network in batches
    whose activations and gradients take at most 256 MiB, or one by one; copies of the weights in the order in which
    kernels read them come on top. A network that normalises by the statistics of its batch gets them one by one.

    Each method takes the settings that say so, and refuses others.

    Parameters
    ----------
    net
        A network of one input and one score for each class; it is used as after training.
    image
        (C, H, W) as the network takes it, in the dtype of its weights, or a Pillow image if ``net.metadata`` has a
        "preprocessing".
    target
        A class, by the name in ``net.metadata["classes"]`` or by its number; by default the likeliest.
    method
        One of ``METHODS``.
    layer
        Of class activation maps: by default the last one of more than one cell that the score is computed from.
    baseline
        What stands for a missing pixel, for integrated gradients, occlusion and Score-CAM: "black", by default,
        "mean", "blurred", a number, or an image like the network's input.
    steps, tolerance
        Of integrated gradients: the steps to begin with, by default 50, which are doubled, up to 1,600, until the map
        adds up to the difference between the scores of image and baseline, but for this share of it, by default 0.01,
        or for rounding.
    samples, noise
        Of SmoothGrad: how many copies, by default 50, and the deviation of their noise as a share of the image's
        range, by default 0.15.
    window, stride
        Of occlusion, in pixels; by default an eighth of the image's sides, and half the window.
    seed
        Of SmoothGrad's noise.
    progress
        Is told how many images of how many have gone through the network.

    Raises
    ------
    ShapeError
        If image or baseline do not fit the network, or it gives no single score for each class.
    DataError
        If a pixel, a score or the map is NaN or infinite.
    ParameterError
        If there is no such method, class or layer, the layer has no plane or does not come before the score, a setting
        is not the method's, or a number is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> import pellucid.nn as nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    >>> net.load_state_dict({"1.weight": [[0, 0, 0, 0], [3, -1, 0, 2]]})
    >>> found = attribute(net, np.float32([[[1, 1], [5, 2]]]), target=1)
    >>> found.map.tolist(), found.score
    ([[[3.0, -1.0], [0.0, 4.0]]], 6.0)
    """
    if not isinstance(method, str) or method not in METHODS:
        raise ParameterError(f"There is no method {method!r}; {nearest(str(method), METHODS)}.")
    given = {
        "layer": layer,
        "baseline": baseline,
        "steps": steps,
        "tolerance": tolerance,
        "samples": samples,
        "noise": noise,
        "window": window,
        "stride": stride,
    }
    for name, value in given.items():
        if value is not None and name not in METHODS[method].takes:
            takers = ", ".join(other for other in METHODS if name in METHODS[other].takes)
            raise ParameterError(f"The '{name}' parameter of attribute goes with {takers} only; got it for {method}.")
    score = Score(net, image, target, progress)
    settings = checked(score, given, seed)
    return _record(score, method, settings, METHODS[method].compute(score, settings))


def _record(score: Score, method: str, settings: Settings, found: Found) -> Attribution:
    values = found.map.astype(score.image.dtype)
    if not abs(values).max(initial=0) < math.inf:  # NaN compares false
        raise DataError("The attribution must be finite; got NaN or infinity; check the image and the weights.")
    summary = values.sum(axis=0) if values.ndim == 3 else values
    if found.layer is not None:
        summary = cams.interpolated(values[None], score.image.shape[1:])[0]
    return Attribution(
        method=method,
        map=values,
        summary=summary,
        target=score.index,
        name=score.name,
        score=score.value,
        probability=score.probability,
        layer=found.layer,
        baseline=found.baseline,
        steps=found.steps,
        error=found.error,
        words=words(score, method, METHODS[method], settings, found, summary),
    )
