"""Maps of many drawings at once are, to the bit, those of each alone."""

from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import PellucidError, ShapeError
from pellucid.studio.answers import answer
from pellucid.studio.messages.playground import PlaygroundMapsAsked
from pellucid.studio.rooms.playground.filtering import maps_together
from pellucid.studio.studio import Studio
from pellucid.studio.tensors import to_tensor


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def question(random: np.random.Generator, side: int, kernels: list[np.ndarray], **more: object) -> PlaygroundMapsAsked:
    drawing = to_tensor(random.random((side, side), np.float32))
    return PlaygroundMapsAsked(drawing=drawing, kernels=[to_tensor(kernel) for kernel in kernels], **more)  # type: ignore[arg-type]


def test_a_crowd_gets_what_each_would_get_alone(studio: Studio) -> None:
    random = np.random.default_rng(7)
    banks = [
        [random.standard_normal((size, size), np.float32) for size in sizes] for sizes in ((3, 3), (1, 5, 3, 5), (2,))
    ]
    settings = [{}, {"border": "reflect"}, {"flip": True}]
    asked = [
        question(random, side, bank, **more)
        for _, side, bank, more in zip(
            range(40), cycle((20, 20, 8)), cycle(banks), cycle([*settings, {}]), strict=False
        )
    ]

    assert maps_together(asked, studio) == [answer("playground.maps", one, studio) for one in asked]


def test_one_mistake_is_not_the_others(studio: Studio) -> None:
    random = np.random.default_rng(7)
    kernel = np.ones((3, 3), np.float32)
    good, small = question(random, 8, [kernel]), question(random, 7, [kernel])
    wide = question(random, 8, [np.ones((9, 9), np.float32)])
    told = maps_together([small, good, wide, good], studio)

    assert [isinstance(one, PellucidError) for one in told] == [True, False, True, False]
    assert told[1] == told[3] == answer("playground.maps", good, studio)
    with pytest.raises(ShapeError, match="The drawing must have 8 to 64 rows"):
        answer("playground.maps", small, studio)
    assert maps_together([], studio) == []
