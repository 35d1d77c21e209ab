import numpy as np
import pytest

from pellucid.errors import ParameterError, ShapeError
from pellucid.lessons.exercises.design import design
from pellucid.lessons.exercises.goals import GOALS
from pellucid.lessons.exercises.kinds import grade
from tests.lessons.reference import cells, convolved

BY_GOAL = {}
for number in range(200):
    BY_GOAL.setdefault(design(number).form.goal.name, []).append(number)
goals = pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.name)


@goals
def test_the_solution_passes_and_zeros_and_noise_fail(goal):
    for seed in BY_GOAL[goal.name][:6]:
        made = design(seed)
        assert grade(made, [list(row) for row in goal.solution]).right
        zeros = grade(made, "0 0 0; 0 0 0; 0 0 0")
        assert not zeros.right
        assert "zeros" in zeros.why
        noise = np.random.default_rng(seed).integers(1, 9, (3, 3)).tolist()
        assert not grade(made, noise).right


@goals
def test_pictures_are_digits_and_maps_are_those_of_plain_loops(goal):
    made = design(BY_GOAL[goal.name][0])
    kernel = np.array(goal.solution, float) + np.eye(3)
    for test, trial in zip(made.form.tests, made.form.trials(made.form.read(kernel.tolist())), strict=True):
        assert test.picture.shape == (5, 5)
        assert set(np.unique(test.picture)) <= set(range(10))
        assert cells(trial.map) == convolved(test.picture.tolist(), kernel.tolist())
        assert trial.passed == (not trial.said)


def test_some_kernels_that_are_right_without_being_the_solution():
    made = design(BY_GOAL["upright"][0])
    for rows in (
        "1 0 -1; 1 0 -1; 1 0 -1",
        "-1 0 1; -2 0 2; -1 0 1",
        "0 0 0; -1 2 -1; 0 0 0",
        "0 0 0; -.5 1 -1/2; 0 0 0",
    ):
        assert grade(made, rows).right


@pytest.mark.parametrize(
    ("goal", "rows", "why"),
    [
        ("upright", "-1 -1 -1; 2 2 2; -1 -1 -1", "turn its rows into columns"),
        ("left", "-1 0 1; -1 0 1; -1 0 1", "Change all signs"),
        ("dots", "0 1 0; 1 -4 1; 0 1 0", "Change all signs"),
        ("move-left", "0 0 0; 1 0 0; 0 0 0", "Mirrored left to right"),
        ("move-up", "0 1 0; 0 0 0; 0 0 0", "Mirrored top to bottom"),
        ("falling", "-1 -1 2; -1 2 -1; 2 -1 -1", "Mirrored"),
        ("upright", "0 3 0; 0 3 0; 0 3 0", "Take the mean off"),
        ("lying", "9 1 1; 1 1 1; 1 1 1", "Its weights add up to 17; only when they add up to 0"),
    ],
)
def test_usual_slips_are_recognised(goal, rows, why):
    found = grade(design(BY_GOAL[goal][0]), rows)
    assert not found.right
    assert why in found.why


def test_what_is_no_kernel_is_refused():
    made = design(0)
    for wrong in ([[1, 2], [3, 4]], [1, 2, 3], np.zeros((3, 3, 1)).tolist(), "1 2 3 4; 5 6 7 8; 9 1 2 3"):
        with pytest.raises(ShapeError, match="The kernel must have 3 rows of 3 numbers"):
            grade(made, wrong)
    for wrong in ([[100, 0, 0]] * 3, [[float("nan")] * 3] * 3):
        with pytest.raises(ParameterError, match="must be from −99 to 99"):
            grade(made, wrong)
    with pytest.raises(ShapeError, match="must be an array of numbers"):
        grade(made, [["a", "b", "c"]] * 3)
