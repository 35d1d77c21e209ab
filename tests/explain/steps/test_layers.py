"""Images, kernels and settings that no steps can be made of."""

from typing import Any

import numpy as np
import pytest

from pellucid.errors import ParameterError, ShapeError
from pellucid.explain.steps.frame import pipeline


@pytest.mark.parametrize(
    ("image", "kernel", "options", "message"),
    [
        (np.ones((17, 3)), [[1]], {}, "image of the steps must have 1×1 to 16×16 numbers; got 17×3"),
        ([[1, 2], [3]], [[1]], {}, "image of the steps must be rows of numbers, all of one length"),
        ([[1]], np.ones((8, 8)), {}, "kernel of the steps must have 1×1 to 7×7 numbers; got 8×8"),
        ([[1]], np.ones((2, 2)), {}, "Conv2d 'conv' has a window of 2 on an input of 1 padded to 1"),
        ([], [[1]], {}, "image of the steps must be rows of numbers, (H, W); got the shape (0,)"),
        ([[1]], 5, {}, "kernel of the steps must be rows of numbers, (H, W); got the shape ()"),
        ([[np.nan]], [[1]], {}, "image of the steps must hold numbers within ±1e9; got nan"),
        ([[1]], [[1]], {"bias": np.inf}, "bias of the steps must hold numbers within ±1e9; got inf"),
        ([[1]], [[1]], {"pool": "median"}, "'pool' parameter of the steps must be one of max, average, none"),
        ([[1]], [[1]], {}, "MaxPool2d 'pool' has a window of 2 on an input of 1"),
        ([[1]], [[1]], {"stride": 0, "pool": "none"}, "'stride' parameter of Conv2d"),
        ([[1]], [[1]], {"padding": "some", "pool": "none"}, "'padding' parameter of Conv2d"),
        ([[1]], [[1]], {"padding": 20, "pool": "none"}, "at most 40×40 cells; got 41×41"),
        ([[1]], [[1]], {"padding": 1, "border": "reflect"}, "pads 1 cells in mode 'reflect'"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(image: Any, kernel: Any, options: Any, message: str) -> None:
    with pytest.raises((ParameterError, ShapeError)) as caught:
        pipeline(image, kernel, **options)

    assert message in str(caught.value)
