"""What RUN, MODEL, NET and DATA on the command line stand for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pellucid.errors import DataError, FileError, ParameterError
from pellucid.interop.pretrained import PRETRAINED

if TYPE_CHECKING:
    from pellucid.data import Dataset, Preprocessing
    from pellucid.nn import Module
    from pellucid.types import Array, Shape

MODEL = "model.safetensors"


def load_model(target: str) -> Module:
    """Load the network of a run's folder or a model file, or a trained one by its name.

    Raises FileError where there is none.
    """
    from pellucid.interop.native import load
    from pellucid.interop.pretrained import pretrained

    path = Path(target)
    if target in PRETRAINED and not path.exists():
        return pretrained(target)
    if path.is_dir():
        if not (path / MODEL).is_file():
            raise FileError(f"The folder '{path}' must be that of a finished run; there is no {MODEL} in it.")
        path /= MODEL
    net = load(path)
    _check_metadata(net.metadata, path)
    return net


def _check_metadata(metadata: dict[str, Any], path: Path) -> None:
    """Refuse a file that says of its network what cannot be, so that nobody stumbles over it later."""
    rules: dict[str, Callable[[Any], bool]] = {
        "input": lambda value: _is_list(value, int) and len(value) == 3 and min(value) > 0,
        "classes": lambda value: _is_list(value, str) and len(value) > 1,
        "data": lambda value: isinstance(value, str),
    }
    for name, rule in rules.items():
        if name in metadata and not rule(metadata[name]):
            raise FileError(f"'{path}' is damaged: its '{name}' cannot be {metadata[name]!r:.80}.")


def _is_list(value: Any, kind: type) -> bool:
    return isinstance(value, list) and all(type(item) is kind for item in value)


def find_network(target: str, shape: Shape | None) -> tuple[Module, Shape]:
    """Return the network that a name, a run or a model file stands for, and its input (C, H, W).

    ``shape`` chooses another input than the network's usual one. A network found by name has no first weights yet,
    only their shapes.
    """
    from pellucid import zoo
    from pellucid.nn.random import skip_init

    if is_design(target):
        shape = shape or zoo.usual_input(target)
        with skip_init():
            return zoo.build(target, input=shape), shape
    net = _load_known(target)
    if shape is None and "input" not in net.metadata:
        raise ParameterError(f"The model '{target}' does not say which images it takes; give --input C,H,W.")
    return net, shape or tuple(net.metadata["input"])


def is_design(target: str) -> bool:
    """Tell whether a network is found by what it is called in the zoo, or by its listing, and has no weights yet."""
    from pellucid import zoo
    from pellucid.zoo.listing import is_listing

    return target in zoo.names() or is_listing(target)


def open_model(target: str) -> tuple[Module, str]:
    """Return a network with weights for a name, a run or a model file, and a phrase that says whose weights they are.

    A network of the zoo gets first weights, the same ones each time.
    """
    from pellucid import zoo
    from pellucid.nn import manual_seed

    if is_design(target):
        manual_seed(0)
        return zoo.build(target).eval(), "fresh random weights"
    return _load_known(target), f"the weights of {target}"


def _load_known(target: str) -> Module:
    """Load a trained network. Raises ParameterError, naming all there are, where there is none."""
    from pellucid import zoo

    if target not in PRETRAINED and not Path(target).exists():
        raise ParameterError(
            f"There is no network, run or model file '{target}'; the networks are {' and '.join(PRETRAINED)}, which "
            f"are trained, and {', '.join(zoo.names())}."
        )
    return load_model(target)


def name_of(target: str) -> str:
    """Return what a run, a model file or a network is called in a title: a run's folder may have dots in its name."""
    path = Path(target)
    return path.resolve().name if path.is_dir() else path.stem


def preprocessing_of(net: Module) -> Preprocessing:
    """Return how a network's pictures are prepared.

    One that does not say it gets pictures of its input's size with ImageNet's mean and deviation, grey ones with 0.5
    and 0.25. Raises ParameterError where not even its input is known.
    """
    from pellucid.data import Preprocessing

    if "preprocessing" in net.metadata:
        return Preprocessing.from_dict(net.metadata["preprocessing"])
    if "input" not in net.metadata:
        raise ParameterError(
            "The model does not say which images it takes; train it with pellucid, or save it with "
            "metadata={'input': (C, H, W)}."
        )
    channels, height, width = net.metadata["input"]
    if channels == 3:
        return Preprocessing((height, width), 3, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    return Preprocessing((height, width), channels, mean=(0.5,), std=(0.25,))


def open_pixels(net: Module, source: str) -> Array:
    """Return a picture as a network sees it, uint8 (C, H, W): an image file, or "DATA:INDEX", one of a test set."""
    from pellucid.data import registry

    found = registry.picture(source)
    return preprocessing_of(net).to_array(source if found is None else found)


def open_input(net: Module, source: str) -> Array:
    """Return a picture as a network's input, float32 (C, H, W); see :func:`open_pixels`."""
    return preprocessing_of(net).normalise(open_pixels(net, source))


def load_test_set(net: Module, source: str) -> Dataset:
    """Load the test part of a data set as the network needs it: its preprocessing, its order of classes.

    Raises DataError where images or classes are not those of the network.
    """
    from pellucid.data import Dataset, Preprocessing, registry

    about = net.metadata
    if "preprocessing" not in about or "classes" not in about:
        raise DataError("The model must say how images are prepared and what its classes are; train it with pellucid.")
    preprocessing, classes = Preprocessing.from_dict(about["preprocessing"]), tuple(about["classes"])
    try:
        _, test = registry.load(source, size=preprocessing.size)
    except ParameterError:  # only a folder of images can be resized
        _, test = registry.load(source)
    wanted = (preprocessing.channels, *preprocessing.size)
    if test.images.shape[1:] != wanted:
        raise DataError(
            f"The network takes images of {'×'.join(map(str, wanted))}; those of '{source}' are "
            f"{'×'.join(map(str, test.images.shape[1:]))}; bring them to that, or train a network on such images."
        )
    return Dataset(test.images, _relabelled(test, classes), classes, test.name, preprocessing)


def _relabelled(test: Dataset, classes: tuple[str, ...]) -> Array:
    """Return a data set's labels as the network counts its classes."""
    unnamed = tuple(str(index) for index in range(len(classes)))
    if test.classes in (classes, unnamed):
        return test.labels
    strangers = [name for name in test.classes if name not in classes]
    if strangers:
        raise DataError(
            f"The classes of data set '{test.name}' must be among those of the network ({', '.join(classes)}); "
            f"got {', '.join(strangers)}."
        )
    import numpy as np

    return np.array([classes.index(name) for name in test.classes], np.int64)[test.labels]
