"""Random changes to training images, seeded by where in the run they happen.

Each transform takes images (N, C, H, W), uint8 or float32, before normalisation, draws one change for every
image, and returns the same shape and dtype. What comes into view from outside an image is 0 (black).
"""

import math
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pellucid.data import randomness
from pellucid.errors import ParameterError
from pellucid.types import Array


class Transform(Protocol):
    """One kind of change."""

    def apply(self, images: Array, rng: np.random.Generator) -> Array:
        """Return changed copies of the images (N, C, H, W)."""


@dataclass(frozen=True)
class Flip:
    """Mirror every second image, on average, left to right.

    >>> Flip().apply(np.zeros((2, 1, 4, 4), np.uint8), np.random.default_rng(0)).shape
    (2, 1, 4, 4)
    """

    def apply(self, images: Array, rng: np.random.Generator) -> Array:
        """Return changed copies of the images (N, C, H, W)."""
        chosen = rng.random(len(images)) < 0.5
        flipped = images.copy()
        flipped[chosen] = images[chosen, ..., ::-1]
        return flipped


@dataclass(frozen=True)
class Shift:
    """Move each image by up to `pixels` whole pixels, down or up and right or left; black comes in.

    >>> str(Augmentation((Shift(2),)))
    'shift=2'
    """

    pixels: int

    def __post_init__(self) -> None:
        _check_count("shift", self.pixels)

    def apply(self, images: Array, rng: np.random.Generator) -> Array:
        """Return changed copies of the images (N, C, H, W)."""
        return _random_windows(_padded(images, self.pixels, "constant"), images.shape, rng)


@dataclass(frozen=True)
class Crop:
    """Widen each image by `padding` mirrored pixels on every side and cut the old size out of it at random.

    It moves the image as `Shift` does, without a black border: for photographs, which fill their frame.

    >>> str(Augmentation((Crop(4),)))
    'crop=4'
    """

    padding: int

    def __post_init__(self) -> None:
        _check_count("crop", self.padding)

    def apply(self, images: Array, rng: np.random.Generator) -> Array:
        """Return changed copies of the images (N, C, H, W)."""
        return _random_windows(_padded(images, self.padding, "reflect"), images.shape, rng)


@dataclass(frozen=True)
class Rotate:
    """Turn each image about its centre by up to `degrees`, either way.

    >>> str(Augmentation((Rotate(10),)))
    'rotate=10'
    """

    degrees: float

    def __post_init__(self) -> None:
        _check_range("rotate", self.degrees, 180)

    def apply(self, images: Array, rng: np.random.Generator) -> Array:
        """Return changed copies of the images (N, C, H, W)."""
        return rotated(images, (2 * rng.random(len(images)) - 1) * self.degrees)


@dataclass(frozen=True)
class Brightness:
    """Multiply each image by a factor between 1 − `amount` and 1 + `amount`; bytes stop at white.

    >>> str(Augmentation((Brightness(0.2),)))
    'brightness=0.2'
    """

    amount: float

    def __post_init__(self) -> None:
        _check_range("brightness", self.amount, 1)

    def apply(self, images: Array, rng: np.random.Generator) -> Array:
        """Return changed copies of the images (N, C, H, W)."""
        factors = 1 + (2 * rng.random(len(images)) - 1) * self.amount
        return _as_dtype(images * factors.astype(np.float32)[:, None, None, None], images.dtype)


@dataclass(frozen=True)
class Erase:
    """Replace a rectangle of `fraction` of the area by the image's mean, in every second image on average.

    The rectangle is between half as high as wide and twice as high. After Zhong et al., *Random Erasing Data
    Augmentation* (2017), with the mean in place of noise.

    >>> str(Augmentation((Erase(0.1),)))
    'erase=0.1'
    """

    fraction: float

    def __post_init__(self) -> None:
        _check_range("erase", self.fraction, 1)

    def apply(self, images: Array, rng: np.random.Generator) -> Array:
        """Return changed copies of the images (N, C, H, W)."""
        n = len(images)
        height, width = images.shape[2:]
        chosen = rng.random(n) < 0.5
        aspect = 2.0 ** (2 * rng.random(n) - 1)  # height / width, 1/2 to 2
        area = self.fraction * height * width
        rows = _inside(np.sqrt(area * aspect), height, rng)  # (N, H)
        columns = _inside(np.sqrt(area / aspect), width, rng)  # (N, W)
        hole = chosen[:, None, None] & rows[:, :, None] & columns[:, None, :]  # (N, H, W)
        mean = _as_dtype(images.mean(axis=(2, 3), keepdims=True, dtype=np.float32), images.dtype)
        return np.where(hole[:, None], mean, images)


@dataclass(frozen=True)
class Augmentation:
    """Transforms applied one after the other.

    ``str()`` gives the text that `parse` reads.

    >>> augment = parse("flip,shift=2")
    >>> images = np.zeros((8, 1, 28, 28), np.uint8)
    >>> augment(images, seed=0, epoch=0, batch=0).shape
    (8, 1, 28, 28)
    """

    transforms: tuple[Transform, ...] = ()

    def __call__(self, images: Array, *, seed: int, epoch: int, batch: int) -> Array:
        """Return changed copies of images (N, C, H, W), the same for the same seed, epoch and batch."""
        for position, transform in enumerate(self.transforms):
            rng = randomness.generator(seed, randomness.AUGMENT, epoch, batch, position)
            images = transform.apply(images, rng)
        return images

    def __str__(self) -> str:
        return ",".join(_written(transform) for transform in self.transforms) or "none"


_BY_NAME: dict[str, type] = {
    "flip": Flip,
    "shift": Shift,
    "rotate": Rotate,
    "crop": Crop,
    "brightness": Brightness,
    "erase": Erase,
}


def parse(text: str) -> Augmentation:
    """Return the augmentation that a text describes: transforms with their numbers, separated by commas.

    Raises
    ------
    ParameterError
        If a transform is unknown, lacks its number, has one too many, or the number breaks its rule.

    Examples
    --------
    >>> str(parse("flip, shift=2, rotate=10"))
    'flip,shift=2,rotate=10'
    >>> parse("none")
    Augmentation(transforms=())
    """
    if text.strip() in ("", "none"):
        return Augmentation()
    return Augmentation(tuple(_read(part.strip()) for part in text.split(",")))


def rotated(images: Array, degrees: Array) -> Array:
    """Return images (N, C, H, W) turned anticlockwise about their centres, each by its own angle (N,).

    Bilinear interpolation; what comes in from outside is 0.

    >>> turned = rotated(np.array([[[[1, 2], [3, 4]]]], np.uint8), np.array([90.0]))
    >>> turned[0, 0].tolist()
    [[2, 4], [1, 3]]
    """
    height, width = images.shape[2:]
    angle = np.deg2rad(degrees)[:, None, None]  # (N, 1, 1)
    y = np.arange(height)[:, None] - (height - 1) / 2  # (H, 1)
    x = np.arange(width) - (width - 1) / 2  # (W,)
    source_y = np.cos(angle) * y + np.sin(angle) * x + (height - 1) / 2  # (N, H, W)
    source_x = np.cos(angle) * x - np.sin(angle) * y + (width - 1) / 2
    return resampled(images, source_y, source_x)


def resampled(images: Array, y: Array, x: Array) -> Array:
    """Return images whose pixels are read between those of the given ones (N, C, H, W), at rows y and columns x.

    Both are (N, H', W'), or (1, H', W') for all images alike, and count from the middle of the first pixel. Bilinear
    interpolation; what comes in from outside is 0.

    >>> resampled(np.array([[[[1, 2], [3, 5]]]], np.float32), np.array([[[0.5]]]), np.array([[[1.0]]]))
    array([[[[3.5]]]], dtype=float32)
    """
    n, channels, height, width = images.shape
    # In the frame of images padded by one black pixel all round: clipping to it makes everything outside black.
    source_y = (y + 1).clip(0, height + 1)
    source_x = (x + 1).clip(0, width + 1)
    top = np.minimum(source_y.astype(np.intp), height)
    left = np.minimum(source_x.astype(np.intp), width)
    down = (source_y - top).astype(np.float32)[..., None]  # (N, H', W', 1)
    right = (source_x - left).astype(np.float32)[..., None]

    pixels = _padded(images, 1, "constant").transpose(0, 2, 3, 1)  # (N, H+2, W+2, C)
    pixels = pixels.reshape(-1, channels)
    corner = (np.arange(n)[:, None, None] * (height + 2) + top) * (width + 2) + left
    upper = pixels[corner] * (1 - right) + pixels[corner + 1] * right
    lower = pixels[corner + width + 2] * (1 - right) + pixels[corner + width + 3] * right
    result = upper * (1 - down) + lower * down  # (N, H', W', C)
    return np.ascontiguousarray(_as_dtype(result, images.dtype).transpose(0, 3, 1, 2))


def _random_windows(padded: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    n, _, height, width = shape
    windows = sliding_window_view(padded, (height, width), axis=(2, 3))  # (N, C, 2p+1, 2p+1, H, W)
    top = rng.integers(windows.shape[2], size=n)
    left = rng.integers(windows.shape[3], size=n)
    return windows[np.arange(n), :, top, left]


def _padded(images: Array, by: int, mode: str) -> Array:
    if mode == "reflect":
        return np.pad(images, ((0, 0), (0, 0), (by, by), (by, by)), mode="reflect")
    n, channels, height, width = images.shape
    padded = np.zeros((n, channels, height + 2 * by, width + 2 * by), images.dtype)
    padded[:, :, by : by + height, by : by + width] = images
    return padded


def _inside(lengths: Array, extent: int, rng: np.random.Generator) -> Array:
    """Return (N, extent): which places lie in a stretch of each length, put anywhere that holds it whole."""
    whole = np.rint(lengths).clip(1, extent)
    start = np.floor(rng.random(len(lengths)) * (extent - whole + 1))
    place = np.arange(extent)
    inside: Array = (place >= start[:, None]) & (place < (start + whole)[:, None])
    return inside


def _as_dtype(values: Array, dtype: "np.dtype[np.generic]") -> Array:
    if dtype == np.uint8:
        return np.rint(values).clip(0, 255).astype(np.uint8)
    return values.astype(dtype, copy=False)


def _read(part: str) -> Transform:
    name, equals, value = part.partition("=")
    kind = _BY_NAME.get(name)
    if kind is None:
        raise ParameterError(f"An augmentation must be one of {', '.join(_BY_NAME)}; got '{name}'.")
    numbers = fields(kind)
    if bool(numbers) != bool(equals):
        expected = f"{name}=NUMBER" if numbers else f"just '{name}'"
        raise ParameterError(f"The augmentation '{name}' must be written {expected}; got '{part}'.")
    transform: Transform = kind(*(_number(name, value) for _ in numbers))
    return transform


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise ParameterError(f"The augmentation '{name}' must have a number; got '{text}'.") from None
    return int(number) if number.is_integer() else number


def _written(transform: Transform) -> str:
    name = type(transform).__name__.lower()
    values = [getattr(transform, field.name) for field in fields(transform)]  # type: ignore[arg-type]
    return "=".join([name, *(str(value) for value in values)])


def _check_count(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ParameterError(f"The augmentation '{name}' must have a whole number of pixels, at least 1; got {value}.")


def _check_range(name: str, value: float, largest: float) -> None:
    if not (math.isfinite(value) and 0 < value <= largest):
        raise ParameterError(f"The augmentation '{name}' must have a number above 0, at most {largest}; got {value}.")
