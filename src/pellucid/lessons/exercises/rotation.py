"""Why a convolution does not answer alike to a turned picture: shown, asked, and shown again with a turned kernel."""

from __future__ import annotations

import numpy as np

from pellucid.explain.kernels.gallery import kernel
from pellucid.explain.numbers import number
from pellucid.lessons.exercises.chance import Chance
from pellucid.lessons.exercises.forms import Choice, Choices
from pellucid.lessons.exercises.pictures import bar
from pellucid.lessons.exercises.records import KERNEL, MAP, PICTURE, Exercise, grid
from pellucid.nn.functional import conv2d
from pellucid.types import Array

_KERNELS = ("vertical-edge", "sobel-x", "prewitt-x", "vertical-line")
_SIDE = 6
_WRONG = 3


def rotation(seed: int) -> Exercise:
    """Show a bar and the bar turned, with their maps, and ask why the maps differ."""
    chance = Chance("rotation", seed)
    turns, is_upright = chance.one([1, 3]), chance.number(0, 1)
    weights = kernel(chance.one(_KERNELS)).astype(np.float32)
    picture = bar(_SIDE, chance.number(1, 3), chance.number(1, 2), chance.number(2, 9))
    if not is_upright:
        weights, picture = _turned(weights, 1), _turned(picture, 1)
    turned = _turned(picture, turns)
    before, after = (conv2d(image, weights) for image in (picture, turned))
    figure = (
        grid("picture", PICTURE, picture),
        grid("kernel", KERNEL, weights),
        grid("map", MAP, before),
        grid("the picture turned", PICTURE, turned),
        grid("its map", MAP, after),
    )
    question = (
        f"The same kernel slides over a picture and over the picture turned by a quarter. Its strongest answer is "
        f"{_strongest(before)}, then {_strongest(after)}. Why?"
    )
    right = Choice(
        "The weights stay in their places, so the turned picture meets them in another arrangement.",
        "Nothing turns the kernel along with the picture. Turn both, and the old map comes back, turned: networks that "
        "answer alike to turned pictures do just that, or have seen turned pictures in training.",
    )
    wrong = chance.some(_wrong(picture, weights, before, after), _WRONG)
    choices = chance.shuffled([right, *wrong])
    kernel_too = _turned(weights, turns)
    evidence = (
        grid("the kernel turned, too", KERNEL, kernel_too),
        grid("its map: the old one, turned", MAP, conv2d(turned, kernel_too)),
    )
    return Exercise("rotation", seed, question, Choices(tuple(choices), choices.index(right), evidence), figure)


def _wrong(picture: Array, weights: Array, before: Array, after: Array) -> list[Choice]:
    sums = number(float(picture.sum())), number(float(weights.sum()))
    return [
        Choice(
            "Turning changes how bright the picture is.",
            f"Turning only moves the numbers: both pictures add up to {sums[0]}.",
        ),
        Choice(
            "The weights of the kernel add up to 0.",
            f"They add up to {sums[1]} both times. That makes flat areas 0; it does not tell upright from lying.",
        ),
        Choice(
            "A convolution does not follow when the picture moves.",
            "It does: move the picture, and the map moves along (it is equivariant to shifts). Turning is no shift.",
        ),
        Choice(
            "There is no max pooling; with it, the answers would be alike.",
            f"The largest number of the whole map is {number(float(before.max()))} before and "
            f"{number(float(after.max()))} after: pooling cannot bring back what the map does not hold.",
        ),
        Choice(
            "There is no padding around the pictures.",
            "Padding adds cells at the border of the map; those that are here stay as they are, and differ.",
        ),
        Choice(
            "There is no bias.",
            "A bias adds the same number to every cell of both maps; they would differ as much as before.",
        ),
    ]


def _turned(values: Array, quarters: int) -> Array:
    """Turn counter-clockwise."""
    return np.ascontiguousarray(np.rot90(values, quarters))


def _strongest(map_: Array) -> str:
    """Write the number farthest from 0, without its sign."""
    return number(float(abs(map_).max()))
