"""From an image file to a network's input, and back to a picture."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from pellucid.data.limits import MAX_PIXELS
from pellucid.errors import DataError, ParameterError, ShapeError
from pellucid.types import Array, Pair

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class Preprocessing:
    """How a network expects its images: size, channels, and the normalisation of each channel.

    A trained network carries one, so that a photo is prepared for it exactly as its training images were.

    Parameters
    ----------
    size
        (height, width) in pixels.
    channels
        1 (grey) or 3 (red, green, blue).
    mean, std
        One number per channel, in units where black is 0 and white is 1: the input is (pixel − mean) / std.

    Raises
    ------
    ParameterError
        If a value breaks these rules.

    Examples
    --------
    >>> preprocessing = Preprocessing((28, 28), 1, mean=(0.5,), std=(0.25,))
    >>> white = np.full((1, 1, 28, 28), 255, np.uint8)
    >>> float(preprocessing.normalise(white).max())
    2.0
    """

    size: Pair
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.size) != 2 or not all(_is_count(extent) for extent in self.size):
            raise ParameterError(
                f"The 'size' parameter of Preprocessing must be (height, width), each at least 1; got {self.size}."
            )
        if self.size[0] * self.size[1] > MAX_PIXELS:
            raise ParameterError(
                f"The 'size' parameter of Preprocessing must be at most {MAX_PIXELS // 10**6} million pixels; "
                f"got {self.size}."
            )
        if self.channels not in (1, 3):
            raise ParameterError(f"The 'channels' parameter of Preprocessing must be 1 or 3; got {self.channels}.")
        for label, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.channels or not np.isfinite(values).all():
                raise ParameterError(
                    f"The '{label}' parameter of Preprocessing must hold {self.channels} finite numbers, one "
                    f"per channel; got {values}."
                )
        if min(self.std) <= 0:
            raise ParameterError(f"The 'std' parameter of Preprocessing must be above 0; got {self.std}.")

    @classmethod
    def measured(cls, images: Array) -> Self:
        """Return the preprocessing that gives these images mean 0 and deviation 1 in each channel.

        A channel that is the same everywhere keeps deviation 1.

        >>> images = np.array([0, 255], np.uint8).reshape(2, 1, 1, 1)
        >>> Preprocessing.measured(images)
        Preprocessing(size=(1, 1), channels=1, mean=(0.5,), std=(0.5,))
        """
        unit = 255.0 if images.dtype == np.uint8 else 1.0
        by_channel = [images[:, c] for c in range(images.shape[1])]  # (N, H, W) each
        mean = tuple(float(channel.mean(dtype=np.float64)) / unit for channel in by_channel)
        std = tuple(float(channel.std(dtype=np.float64)) / unit for channel in by_channel)
        return cls(
            (images.shape[2], images.shape[3]),
            images.shape[1],
            mean,
            tuple(s if s > 1e-6 else 1.0 for s in std),
        )

    def to_array(self, source: "Image.Image | str | os.PathLike[str] | Array") -> Array:
        """Return one image, uint8 (C, H, W), at this size and with these channels; not yet normalised.

        Grey and colour are converted into each other; another size is resized (bilinear, with antialiasing),
        stretching the image if its proportions differ.

        Parameters
        ----------
        source
            An image file, a Pillow image, or a uint8 array (H, W) or (C, H, W).

        Raises
        ------
        DataError
            If the file is no image, is damaged, or has more than 64 million pixels.
        FileError
            If the file cannot be read.

        Examples
        --------
        >>> square = np.full((3, 10, 10), 255, np.uint8)
        >>> Preprocessing((4, 4), 1, (0.5,), (0.5,)).to_array(square).tolist()[0][0]
        [255, 255, 255, 255]
        """
        from PIL import Image

        from pellucid.data import images

        if isinstance(source, np.ndarray):
            picture = images.from_array(source)
        elif isinstance(source, Image.Image):
            picture = images.simplify(source, "the given image")
        else:
            picture = images.open_image(source)
        picture = picture.convert("L" if self.channels == 1 else "RGB")
        height, width = self.size
        if picture.size != (width, height):
            picture = picture.resize((width, height), Image.Resampling.BILINEAR)
        return images.to_array(picture)

    def normalise(self, images: Array) -> Array:
        """Return float32 (…, C, H, W): (pixel − mean) / std.

        Parameters
        ----------
        images
            (…, C, H, W): uint8 with white at 255, or floats in the units of `mean`.

        Raises
        ------
        ShapeError
            If axis −3 is not the channels.
        """
        self._check_channels(images)
        scale, offset = self._scale_and_offset(255.0 if images.dtype == np.uint8 else 1.0)
        inputs = images.astype(np.float32)
        inputs *= scale
        inputs += offset
        return inputs

    def denormalise(self, inputs: Array) -> Array:
        """Return the pictures behind a network's inputs: uint8 (…, C, H, W), clipped to black and white.

        >>> preprocessing = Preprocessing((2, 2), 1, (0.3,), (0.2,))
        >>> pixels = np.array([[[0, 1], [128, 255]]], np.uint8)
        >>> preprocessing.denormalise(preprocessing.normalise(pixels)).tolist()
        [[[0, 1], [128, 255]]]
        """
        self._check_channels(inputs)
        scale, offset = self._scale_and_offset(255.0)
        pixels: Array = np.rint((inputs - offset) / scale).clip(0, 255).astype(np.uint8)
        return pixels

    def as_dict(self) -> dict[str, Any]:
        """Return the values as JSON can hold them; `from_dict` reads them back."""
        return {
            "size": list(self.size),
            "channels": self.channels,
            "mean": list(self.mean),
            "std": list(self.std),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the preprocessing that `as_dict` described.

        Raises
        ------
        DataError
            If a value is missing, of the wrong kind or out of its range.

        Examples
        --------
        >>> preprocessing = Preprocessing((2, 2), 1, (0.3,), (0.2,))
        >>> Preprocessing.from_dict(preprocessing.as_dict()) == preprocessing
        True
        """
        try:
            size = tuple(values["size"])
            mean = tuple(float(value) for value in values["mean"])
            std = tuple(float(value) for value in values["std"])
            return cls(size, values["channels"], mean, std)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise DataError(
                f"A preprocessing must have a size, channels, mean and std; got {values!r:.200} ({error})."
            ) from None

    def _scale_and_offset(self, unit: float) -> tuple[Array, Array]:
        std = np.asarray(self.std)[:, None, None]  # (C, 1, 1)
        mean = np.asarray(self.mean)[:, None, None]
        return (1 / (unit * std)).astype(np.float32), (-mean / std).astype(np.float32)

    def _check_channels(self, images: Array) -> None:
        if images.ndim < 3 or images.shape[-3] != self.channels:
            last = images.ndim >= 3 and images.shape[-1] == self.channels
            hint = "; channels last? images.transpose(0, 3, 1, 2)" if last else ""
            raise ShapeError(
                f"The images must have {self.channels} channels on axis −3, (…, C, H, W); got shape "
                f"{images.shape}{hint}."
            )


def _is_count(extent: Any) -> bool:
    return type(extent) is int and extent >= 1
