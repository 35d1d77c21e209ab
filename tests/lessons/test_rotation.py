import numpy as np
import pytest

from pellucid.lessons.exercises.kinds import exercise
from tests.lessons.reference import cells, convolved, named


@pytest.mark.parametrize("seed", range(40))
def test_the_demonstration_is_true(seed):
    made = exercise("rotation", seed)
    picture, kernel, turned = (cells(named(made, title)) for title in ("picture", "kernel", "the picture turned"))
    before, after = convolved(picture, kernel), convolved(turned, kernel)
    assert (cells(named(made, "map")), cells(named(made, "its map"))) == (before, after)
    assert np.any(before)
    assert not np.any(after)
    also, its_map = made.form.evidence
    turns = [k for k in (1, 3) if np.array_equal(np.rot90(picture, k), turned)]
    assert np.sum(picture) == np.sum(turned)
    assert np.sum(kernel) == 0
    assert np.array_equal(cells(its_map), convolved(turned, cells(also)))
    assert any(
        np.array_equal(cells(also), np.rot90(kernel, k))
        and np.array_equal(cells(its_map), np.rot90(np.array(before, float), k))
        for k in turns
    )


def test_the_right_choice_is_always_the_same_and_each_wrong_one_comes_up():
    made = [exercise("rotation", seed).form for seed in range(40)]
    assert {form.choices[form.solution].text for form in made} == {
        "The weights stay in their places, so the turned picture meets them in another arrangement."
    }
    assert len({choice.text for form in made for choice in form.choices}) == 7
