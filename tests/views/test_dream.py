import numpy as np
import pytest

from pellucid.explain.dreams.dream import Dream, Settings
from pellucid.explain.dreams.goals import Goal
from pellucid.views.dream import dream_sheet
from tests.views.drawings import check_legible, texts


def made(goal: Goal, channels: int = 1, size: tuple[int, int] = (28, 28), **changes: object) -> Dream:
    picture = np.random.default_rng(0).integers(0, 256, (channels, *size), np.uint8)
    known = {
        "score": 12.5,
        "start": -0.25,
        "scores": (0.0, 3.0, 9.0),
        "settings": Settings(steps=3),
        "best": 7.0,
        "mean": 1.0,
    }
    return Dream(goal=goal, picture=picture, input=picture.astype(np.float32), **{**known, **changes})


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(28, 28), (20, 50), (224, 100)])
def test_one_dream_is_large_and_tells_its_climb(channels: int, size: tuple[int, int]) -> None:
    figure = dream_sheet([made(Goal("conv3", 5), channels, size)], "the weights of fashion", "1,000 pictures of mini")
    written, picture = texts(figure), figure.axes[0].images[0]
    left, right, bottom, top = picture.get_extent()

    check_legible(figure)
    assert written[0] == "Dream of conv3, channel 5"
    assert {"12.5", "−0.25", "7", "1", "the best of 1,000 pictures of mini", "0", "255"} <= set(written)
    assert (bottom - top) / (right - left) == pytest.approx(size[0] / size[1])
    assert picture.get_array().shape == (size if channels == 1 else (*size, 3))
    assert figure.get_label().startswith("Dream of conv3, channel 5: mean of the channel's positive part from −0.25")


@pytest.mark.parametrize("count", [2, 5, 10, 16, 64])
def test_several_dreams_are_a_grid_with_names_and_numbers(count: int) -> None:
    several = [made(Goal("conv3", channel, (3, 4)), score=float(channel)) for channel in range(count)]
    figure = dream_sheet(several, "the weights of fashion", "1,000 pictures of mini")
    written = texts(figure)

    check_legible(figure)
    assert written[0] == "Dreams of conv3"
    assert len(figure.axes[0].images) == count + 1
    assert sum(text.startswith("channel ") for text in written) == count
    assert f"channel {count - 1}, cell 3,4 from −0.25 to {count - 1}" in figure.get_label()


def test_long_names_and_dreams_that_were_stuck() -> None:
    names = ["a class of a name that is far too long for a picture", "b"]
    several = [made(Goal("fc", n, None, name), scores=(0.0,), start=0.0, score=0.0) for n, name in enumerate(names)]
    figure = dream_sheet(several, "fresh random weights")

    check_legible(figure)
    assert "no pixel moves it · best 7" in texts(figure)
    alone = dream_sheet([made(Goal("x"), scores=(0.0,), start=0.0, score=0.0, best=None, mean=None)], "w")
    check_legible(alone)
    assert "the picture at the start: no pixel moves it" in texts(alone)
