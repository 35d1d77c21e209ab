"""Attributions by the gradient of the score: of the image, on a way to it, or in its neighbourhood."""

from __future__ import annotations

import math

import numpy as np

from pellucid.errors import ParameterError
from pellucid.explain.attribution.score import Score
from pellucid.explain.attribution.settings import MOST_STEPS, Found, Settings
from pellucid.ops import ReLU, ReLU6
from pellucid.types import Array

_ROUNDINGS = 16
"""A score and a sum are not surer than so many units in the last place of what they were added up from."""


def gradient(score: Score, settings: Settings) -> Found:
    """Differentiate the score by the image (Simonyan et al. 2014, arXiv:1312.6034), with its sign."""
    return Found(score.at_image().image[0])


def gradient_times_input(score: Score, settings: Settings) -> Found:
    """Multiply the gradient by the network's input (Shrikumar et al. 2016, arXiv:1605.01713)."""
    return Found(score.at_image().image[0] * score.image)


def smooth_grad(score: Score, settings: Settings) -> Found:
    """Average the gradients of noisy copies of the image (Smilkov et al. 2017, arXiv:1706.03825)."""
    total = np.zeros(score.image.shape)

    def make(numbers: Array) -> Array:
        return np.stack([score.image + noise_of(score, settings, int(number)) for number in numbers])

    for _, slopes, used in score.slopes(settings.samples, make):
        total += slopes.image[:used].sum(axis=0, dtype=np.float64)
    return Found(total / settings.samples)


def noise_of(score: Score, settings: Settings, number: int) -> Array:
    """Return the noise of SmoothGrad's copy of that number, (C, H, W)."""
    generator = np.random.default_rng((settings.seed, number))
    spread = settings.noise * float(np.ptp(score.image))
    return (spread * generator.standard_normal(score.image.shape)).astype(score.image.dtype)


def integrated_gradients(score: Score, settings: Settings) -> Found:
    """Integrate the gradient from the baseline to the image (Sundararajan et al. 2017, arXiv:1703.01365).

    The attributions add up to the difference of both scores, but for the error of the integration, by Gauss-Legendre
    quadrature; the steps are doubled until that is within the tolerance, a share of the difference. What rounding
    alone can explain counts as no error.
    """
    start = float(score.of(1, lambda _: settings.baseline[None])[0])
    difference, steps = score.value - start, settings.steps
    unit = _ROUNDINGS * float(np.finfo(score.image.dtype).eps)
    while True:
        found = _integrate(score, settings.baseline, steps)
        missed = abs(float(found.sum()) - difference)
        if missed <= unit * (abs(score.value) + abs(start) + float(abs(found).sum())):
            missed = 0.0
        error = missed and (missed / abs(difference) if difference else math.inf)
        if error <= settings.tolerance or 2 * steps > MOST_STEPS:
            return Found(found, baseline=start, steps=steps, error=error if error < math.inf else None)
        steps *= 2


def _integrate(score: Score, baseline: Array, steps: int) -> Array:
    """Return (image − baseline) · ∫ gradient, float64."""
    places, weights = np.polynomial.legendre.leggauss(steps)
    shares = (0.5 * (1 + places)).astype(score.image.dtype)
    way = score.image - baseline
    total = np.zeros(way.shape)

    def make(numbers: Array) -> Array:
        made: Array = baseline + shares[numbers, None, None, None] * way
        return made

    for numbers, slopes, used in score.slopes(steps, make):
        total += np.tensordot(0.5 * weights[numbers[:used]], slopes.image[:used].astype(np.float64), 1)
    return way.astype(np.float64) * total


def guided_backprop(score: Score, settings: Settings) -> Found:
    """Let only positive gradients pass each ReLU on the way back (Springenberg et al. 2015, arXiv:1412.6806).

    Raises ParameterError where the network has no ReLU or ReLU6, so that there is nothing to guide.
    """
    if not guided_nodes(score):
        raise ParameterError("Guided backprop needs a ReLU or ReLU6 to guide; the network has none; use 'gradient'.")
    return Found(score.at_image(guided=True).image[0])


def guided_nodes(score: Score) -> list[str]:
    """Names of the nodes that guided backprop guides."""
    return [node.name for node in score.graph.nodes if isinstance(node.op, ReLU | ReLU6)]
