from pellucid.lessons.exercises.kinds import KINDS, exercise, grade
from pellucid.lessons.exercises.records import KERNEL, MAP, Grid
from pellucid.lessons.text import HOW, beside, graded, written

ONE = Grid("a", KERNEL, ((1, -2), (0.5, 10)))
TWO = Grid("longer title", MAP, ((None, 3), (4, 5), (6, 7)), marked=((1, 0),))


def test_grids_stand_beside_each_other_and_below_where_there_is_no_room():
    assert beside([ONE, TWO]).splitlines() == [
        "a               longer title",
        "    1    −2       ?   3",
        "  0.5    10      [4]  5",
        "                  6   7",
    ]
    assert beside([ONE, TWO], 20).splitlines() == [
        "a",
        "    1    −2",
        "  0.5    10",
        "",
        "longer title",
        "  ?   3",
        " [4]  5",
        "  6   7",
    ]


def test_every_kind_is_written_within_the_width():
    for kind in KINDS:
        for seed in range(8):
            made = exercise(kind, seed)
            text = written(made) + "\n" + graded(grade(made, made.form.solved))
            assert max(map(len, text.splitlines())) <= 80
            assert made.form.name in HOW


def test_a_wrong_answer_is_told_the_right_one():
    made = exercise("size", 0)
    assert "Right is: 7" in graded(grade(made, 8))
    assert "Right is" not in graded(grade(made, 7))
