"""What holds for every kind of exercise."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.errors import ParameterError, PellucidError
from pellucid.lessons.exercises import forms
from pellucid.lessons.exercises.kinds import KINDS, LARGEST_SEED, MOST_EXERCISES, exercise, exercises, grade

seeds = st.integers(0, LARGEST_SEED)
kinds = pytest.mark.parametrize("kind", KINDS)
few = settings(max_examples=25, deadline=None)


@kinds
@few
@given(seed=seeds)
def test_a_seed_makes_the_same_exercise_again_and_its_solution_is_right(kind, seed):
    one, two = exercise(kind, seed), exercise(kind, seed)
    assert json.dumps(one.as_dict(), allow_nan=False) == json.dumps(two.as_dict())
    assert (one.kind, one.seed) == (kind, seed)
    found = grade(one, one.form.solved)
    assert found.right
    assert found.why
    assert found.solution
    assert grade(one, json.loads(json.dumps(one.form.solved))).as_dict() == found.as_dict()


@kinds
def test_seeds_differ(kind):
    made = {json.dumps(exercise(kind, seed).as_dict()) for seed in range(40)}
    assert len(made) > 12


@kinds
@few
@given(seed=seeds)
def test_what_is_shown_does_not_tell_the_answer(kind, seed):
    shown = exercise(kind, seed).as_dict()
    assert not {"solution", "solved", "why", "mistakes", "order", "working"} & shown.keys()
    assert all(choice.keys() == {"text", "figure"} for choice in shown.get("choices", ()))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if exercise(kind, 0).form.name == "number"])
@few
@given(seed=seeds)
def test_known_mistakes_are_wrong_and_told_apart(kind, seed):
    made = exercise(kind, seed)
    assert isinstance(made.form, forms.Number)
    whys = {mistake.value: mistake.why for mistake in made.form.mistakes}
    assert made.form.solution not in whys
    assert len(whys) == len(made.form.mistakes) >= 2
    for value, why in whys.items():
        found = made.form.grade(value)
        assert not found.right
        assert found.why.startswith(why)
        assert found.why.endswith(made.form.working)
    other = made.form.grade(max([*whys, made.form.solution]) + 1)
    assert not other.right
    assert other.why.startswith(made.form.hint)


@pytest.mark.parametrize("kind", ["choice", "which-kernel", "rotation"])
@few
@given(seed=seeds)
def test_every_wrong_choice_is_wrong_and_has_its_own_why(kind, seed):
    form = exercise(kind, seed).form
    assert isinstance(form, forms.Choices)
    assert len({choice.text for choice in form.choices}) == len(form.choices) == 4
    assert len({choice.why for choice in form.choices}) == 4
    for place, choice in enumerate(form.choices):
        found = form.grade(form.read("abcd"[place]))
        assert found.right == (place == form.solution)
        assert found.why.startswith(choice.why)
        assert found.why.endswith(form.choices[form.solution].why)


@given(text=st.text(max_size=30), kind=st.sampled_from(sorted(KINDS)))
@settings(deadline=None)
def test_any_text_is_graded_or_refused_in_a_sentence(text, kind):
    made = exercise(kind, 5)
    try:
        said = grade(made, text).why
    except PellucidError as error:
        said = str(error)
    assert said[-1] in ".)0123456789"


@pytest.mark.parametrize("answer", [None, [], {}, True, float("nan"), float("inf"), "", "13,5", "1e3", "9" * 99, [[1]]])
def test_what_is_no_number_is_refused(answer):
    with pytest.raises(ParameterError, match=r"The answer must be a number, such as 28 or 1,024 or 2\.5; got "):
        grade(exercise("size", 0), answer)


@pytest.mark.parametrize("answer", [4, -1, "e", "ab", "", None, True, 1.0])
def test_what_is_no_choice_is_refused(answer):
    with pytest.raises(ParameterError, match="The answer must be one of the letters a to d"):
        grade(exercise("choice", 0), answer)


def test_kinds_seeds_and_counts_are_checked():
    for wrong in (-1, 2**31, 1.0, True, "1"):
        with pytest.raises(ParameterError, match="The seed must be a whole number from 0 to 2,147,483,647; got"):
            exercise("size", wrong)
    with pytest.raises(ParameterError, match="There is no kind of exercise 'sise'; the nearest is size"):
        exercise("sise", 1)
    for count in (0, MOST_EXERCISES + 1, 1.0, True):
        with pytest.raises(ParameterError, match="The number of exercises must be from 1 to 100; got"):
            exercises(1, count=count)


def test_exercises_take_the_kinds_in_turn():
    assert [one.kind for one in exercises(4)] == list(KINDS)
    some, again = exercises(4, ["cell", "size"], 5), exercises(4, ["cell", "size"], 5)
    assert [one.kind for one in some] == ["cell", "size", "cell", "size", "cell"]
    assert [one.as_dict() for one in some] == [one.as_dict() for one in again]
    assert len({one.question for one in exercises(4, ["parameters"], 30)}) > 20
