import pytest

from pellucid.lessons.exercises.kinds import exercise
from pellucid.lessons.exercises.which_kernel import KERNELS
from tests.lessons.reference import cells, convolved, named

SEEDS = range(60)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_kernel_alone_made_the_map(seed):
    made = exercise("which-kernel", seed)
    wanted, picture = cells(named(made, "map")), cells(named(made, "picture"))
    fits = []
    for choice in made.form.choices:
        (kernel,) = choice.shown
        map_ = convolved(picture, cells(kernel))
        apart = max(abs(a - b) for one, two in zip(map_, wanted, strict=True) for a, b in zip(one, two, strict=True))
        assert apart == 0 or apart >= 3
        fits.append(apart == 0)
        for evidence in choice.evidence:
            assert cells(evidence) == map_
            ((y, x),) = evidence.marked
            assert map_[y][x] != wanted[y][x]
    assert fits.count(True) == 1
    assert fits.index(True) == made.form.solved


def test_all_kernels_come_up():
    assert {choice.text for seed in SEEDS for choice in exercise("which-kernel", seed).form.choices} == set(KERNELS)
    assert (
        len(
            {
                exercise("which-kernel", seed).form.choices[exercise("which-kernel", seed).form.solved].text
                for seed in SEEDS
            }
        )
        > 8
    )
