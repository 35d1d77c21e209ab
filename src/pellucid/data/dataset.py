"""Images with labels, checked once when they enter."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from pellucid.data import randomness
from pellucid.data.preprocessing import Preprocessing
from pellucid.errors import DataError, ParameterError
from pellucid.types import Array


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images, all of one size, with the preprocessing that turns them into a network's input.

    Use :meth:`from_arrays` for arrays of your own: it fills in what can be derived.

    Parameters
    ----------
    images
        uint8 (N, C, H, W) with 0 as black and 255 as white, or float32 (N, C, H, W), usually 0 to 1.
    labels
        int64 (N,), each the index of a class.
    classes
        The names of the classes, two or more.
    name
        What messages and reports call it.
    preprocessing
        Applied by :meth:`inputs`; its channels are those of the images.

    Raises
    ------
    DataError
        If the parts do not fit each other, a pixel is NaN or infinite, a label names no class, or there is
        nothing to tell apart (no image, or one class).

    Examples
    --------
    >>> pixels = np.arange(4 * 9, dtype=np.uint8).reshape(4, 1, 3, 3)
    >>> dataset = Dataset.from_arrays(pixels, [0, 1, 0, 1], classes=("bar", "dot"), name="toy")
    >>> dataset
    Dataset 'toy': 4 images of 1×3×3, 2 classes
    >>> dataset.inputs(slice(0, 2)).shape
    (2, 1, 3, 3)
    """

    images: Array
    labels: Array
    classes: tuple[str, ...]
    name: str
    preprocessing: Preprocessing

    def __post_init__(self) -> None:
        _check_images(self.images, self.name)
        _check_labels(self.labels, len(self.images), self.classes, self.name)
        if self.preprocessing.channels != self.images.shape[1]:
            raise DataError(
                f"The preprocessing of data set '{self.name}' must be for {self.images.shape[1]} channels, "
                f"as its images are; got {self.preprocessing.channels}."
            )

    @classmethod
    def from_arrays(
        cls,
        images: Array,
        labels: Array | list[int],
        *,
        classes: tuple[str, ...] | None = None,
        name: str = "arrays",
        preprocessing: Preprocessing | None = None,
    ) -> Self:
        """Make a data set from arrays, deriving what is left out.

        Parameters
        ----------
        images
            (N, H, W) or (N, C, H, W), uint8 or floating point.
        labels
            Whole numbers (N,) or (N, 1).
        classes
            Names; by default "0", "1", … up to the largest label.
        name
            What messages and reports call it.
        preprocessing
            By default each channel is normalised with the mean and deviation of these images.

        >>> Dataset.from_arrays(np.zeros((4, 5, 5), np.uint8), [0, 1, 2, 2]).classes
        ('0', '1', '2')
        """
        images = np.asarray(images)
        if images.ndim == 3:
            images = images[:, None]  # (N, 1, H, W)
        if images.dtype.kind == "f":
            images = images.astype(np.float32, copy=False)
        _check_images(images, name)
        integers = _as_labels(np.asarray(labels), name)
        if classes is None:
            _check_label_bound(integers, name)
            classes = tuple(str(i) for i in range(int(integers.max(initial=-1)) + 1))
        return cls(images, integers, classes, name, preprocessing or Preprocessing.measured(images))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: slice | Array | list[int]) -> Self:
        """Return the data set of the chosen images, in that order."""
        if isinstance(indices, int | np.integer):
            raise TypeError(
                f"A Dataset is indexed by a slice or an array of indices; got {indices}; for one image use "
                f".images[{indices}] and .labels[{indices}]."
            )
        return type(self)(self.images[indices], self.labels[indices], self.classes, self.name, self.preprocessing)

    def __repr__(self) -> str:
        shape = "×".join(str(extent) for extent in self.images.shape[1:])
        return f"Dataset '{self.name}': {len(self)} images of {shape}, {len(self.classes)} classes"

    def inputs(self, indices: slice | Array = slice(None)) -> Array:
        """Return the chosen images as a network takes them: float32 (n, C, H, W), preprocessed."""
        return self.preprocessing.normalise(self.images[indices])

    def class_counts(self) -> Array:
        """Return how many images each class has, int64 (classes,).

        >>> Dataset.from_arrays(np.zeros((4, 5, 5), np.uint8), [0, 1, 2, 2]).class_counts().tolist()
        [1, 1, 2]
        """
        return np.bincount(self.labels, minlength=len(self.classes)).astype(np.int64, copy=False)

    def split(self, fraction: float, seed: int) -> tuple[Self, Self]:
        """Return two parts; the second holds about `fraction` of each class, and both keep the order.

        A class with two images or more is in both parts; a class with one is in the first only.

        Raises
        ------
        ParameterError
            If `fraction` does not lie between 0 and 1.
        DataError
            If no class has two images.

        Examples
        --------
        >>> dataset = Dataset.from_arrays(np.zeros((10, 5, 5), np.uint8), [0, 1] * 5)
        >>> [len(part) for part in dataset.split(0.2, seed=0)]
        [8, 2]
        """
        if not 0 < fraction < 1:
            raise ParameterError(f"The 'fraction' parameter of split must lie between 0 and 1; got {fraction}.")
        second = np.zeros(len(self), dtype=bool)
        for label in range(len(self.classes)):
            members = np.flatnonzero(self.labels == label)
            if len(members) >= 2:
                count = min(max(round(fraction * len(members)), 1), len(members) - 1)
                chosen = randomness.permutation(len(members), seed, randomness.SPLIT, label)[:count]
                second[members[chosen]] = True
        if not second.any():
            raise DataError(
                f"Data set '{self.name}' must have a class of two images or more to be split; got one image a class; "
                "add images."
            )
        return self[~second], self[second]


def _check_images(images: Array, name: str) -> None:
    if images.ndim != 4:
        raise DataError(f"The images of data set '{name}' must be (N, C, H, W); got shape {images.shape}.")
    if images.dtype not in (np.uint8, np.float32):
        raise DataError(f"The images of data set '{name}' must be uint8 or float32; got {images.dtype}.")
    if images.size == 0:
        raise DataError(f"Data set '{name}' must hold at least one image of one pixel; got shape {images.shape}.")
    if images.shape[1] not in (1, 3):
        last = images.shape[3] in (1, 3)
        hint = "channels last? images.transpose(0, 3, 1, 2)" if last else "convert them to grey or colour"
        raise DataError(
            f"The images of data set '{name}' must have 1 or 3 channels on axis 1; got {images.shape}; {hint}."
        )
    if images.dtype == np.float32:
        broken = ~np.isfinite(images).all(axis=(1, 2, 3))
        if broken.any():
            raise DataError(
                f"The pixels of data set '{name}' must be finite; got NaN or infinity in {broken.sum()} of "
                f"{len(images)} images, the first at index {broken.argmax()}; replace them with "
                f"np.nan_to_num, or drop these images."
            )


def _check_labels(labels: Array, images: int, classes: tuple[str, ...], name: str) -> None:
    if labels.ndim != 1 or labels.dtype != np.int64:
        raise DataError(
            f"The labels of data set '{name}' must be int64 (N,); got {labels.dtype} {labels.shape}; "
            f"Dataset.from_arrays converts them."
        )
    if len(labels) != images:
        raise DataError(f"Data set '{name}' must have one label per image; got {len(labels)} for {images} images.")
    if len(classes) < 2:
        raise DataError(
            f"Data set '{name}' must have at least two classes, or there is nothing to learn; got "
            f"{len(classes)} ({', '.join(classes) or 'none'})."
        )
    wrong = (labels < 0) | (labels >= len(classes))
    if wrong.any():
        raise DataError(
            f"The labels of data set '{name}' must lie within 0 to {len(classes) - 1} ({len(classes)} "
            f"classes); got {labels[wrong.argmax()]} at index {wrong.argmax()}."
        )


def _as_labels(labels: Array, name: str) -> Array:
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]  # (N,): Keras keeps CIFAR's labels as a column
    if labels.dtype.kind not in "iu" or labels.ndim != 1:
        raise DataError(
            f"The labels of data set '{name}' must be whole numbers (N,); got {labels.dtype} {labels.shape}; "
            f"from one-hot rows take .argmax(1)."
        )
    return labels.astype(np.int64)


def _check_label_bound(labels: Array, name: str) -> None:
    # Names are made up to the largest label, so a damaged one must not ask for billions of them.
    if labels.min(initial=0) < 0:
        raise DataError(
            f"The labels of data set '{name}' must count classes from 0; got {labels.min()} at index "
            f"{labels.argmin()}; renumber them with np.unique(labels, return_inverse=True)[1]."
        )
    largest = int(labels.max(initial=-1))
    if largest >= max(1000, 10 * len(labels)):
        raise DataError(
            f"The labels of data set '{name}' must count classes from 0; got {largest}, with {len(labels)} "
            f"images in all; renumber them with np.unique(labels, return_inverse=True)[1]."
        )
