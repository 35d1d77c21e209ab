import re

import pytest

from pellucid.lessons.exercises.kinds import exercise, grade
from tests.lessons.reference import cells, convolved, named

SEEDS = range(80)


@pytest.mark.parametrize("seed", SEEDS)
def test_cells_are_those_of_plain_loops(seed):
    made = exercise("cell", seed)
    row, column = (int(part) - 1 for part in re.search(r"row (\d), column (\d)", made.question).groups())
    *_, last = made.figure
    if "pooling" in made.question:
        window = [row[2 * column : 2 * column + 2] for row in cells(named(made, "map"))[2 * row : 2 * row + 2]]
        inside = [value for part in window for value in part]
        wanted = max(inside) if made.question.startswith("Max") else sum(inside) / 4
        assert last.title == "pooled"
    else:
        wanted = computed(made)[row][column]
        for y, line in enumerate(last.cells):
            for x, value in enumerate(line):
                assert value is None if (y, x) == (row, column) else value == computed(made)[y][x]
    assert last.cells[row][column] is None
    assert made.form.solved == wanted


def computed(made):
    picture = named(made, "picture")
    numbers = cells(picture)
    if picture.border:
        assert all(value == 0 for row in (numbers[0], numbers[-1]) for value in row)
    stride = int(re.search(r"stride (\d)", made.question)[1]) if "stride" in made.question else 1
    bias = re.search(r"bias (−?)(\d)", made.question)
    shift = int(bias[2]) * (-1 if bias[1] else 1) if bias else 0
    map_ = convolved(numbers, cells(named(made, "kernel")), stride, 0, shift)
    return [[max(0, value) for value in row] for row in map_] if "ReLU" in made.question else map_


@pytest.mark.parametrize("seed", SEEDS)
def test_the_marked_cells_are_the_window(seed):
    made = exercise("cell", seed)
    row, column = (int(part) - 1 for part in re.search(r"row (\d), column (\d)", made.question).groups())
    side, stride = (2, 2) if "pooling" in made.question else (3, 2 if "stride 2" in made.question else 1)
    top, left = row * stride, column * stride
    assert set(made.figure[0].marked) == {(y, x) for y in range(top, top + side) for x in range(left, left + side)}


def test_usual_mistakes_are_recognised():
    made = exercise("cell", 1)  # with a bias of 2; the sum is 8
    assert grade(made, 8).why.startswith("You left out the bias of 2.")
    assert grade(made, 10).right
    whys = [mistake.why for seed in SEEDS for mistake in exercise("cell", seed).form.mistakes]
    for start in ("That is the sum before ReLU", "You turned the kernel by 180°", "You took the kernel's rows"):
        assert any(why.startswith(start) for why in whys)
