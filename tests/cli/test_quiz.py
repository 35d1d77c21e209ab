import io
import json

import pytest

from pellucid.cli import quiz
from pellucid.lessons.exercises.kinds import KINDS, exercises, grade
from tests.cli.conftest import Command


@pytest.fixture
def answering(command: Command, monkeypatch: pytest.MonkeyPatch):
    """Run the command with lines on stdin: (lines, arguments) → exit status, stdout, stderr."""

    def run(lines: list[str], *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return command("quiz", *arguments)

    return run


def typed(exercise):
    """Write the right answer as a person would type it."""
    solved = exercise.form.solved
    if exercise.form.name == "choice":
        return "abcd"[solved]
    if exercise.form.name == "match":
        return " ".join("abcde"[place] for place in solved)
    if exercise.form.name == "kernel":
        return "; ".join(",".join(f"{value:g}" for value in row) for row in solved)
    return f"{solved:,}"


def test_right_answers_through_a_pipe(answering) -> None:
    made = exercises(7)
    status, said, err = answering([typed(one) for one in made], "--seed", 7)

    assert (status, err) == (0, "")
    assert said.count("\nRight.\n") == len(KINDS)
    assert f"{len(KINDS)} of {len(KINDS)} right." in said
    assert "pellucid quiz --seed 7" in said
    assert max(map(len, said.splitlines())) <= 80


def test_wrong_answers_are_told_why_and_strange_ones_asked_again(answering) -> None:
    (one,) = exercises(3, ["size"], 1)
    wrong = one.form.mistakes[0]
    status, said, _ = answering(["many", str(float(wrong.value))], "--kind", "size", "--count", 1, "--seed", 3)

    assert status == 0
    words = " ".join(said.split())
    assert "The answer must be a number, such as 28 or 1,024 or 2.5; got 'many'" in words
    assert f"Not right. {' '.join(wrong.why.split())}" in words
    assert f"Right is: {one.form.solved}" in words
    assert "0 of 1 right." in words


def test_an_empty_line_passes_on_and_q_ends(answering) -> None:
    (first, *_) = exercises(3, ["macs"], 3)
    status, said, _ = answering(["", "q"], "--kind", "macs", "--count", 3, "--seed", 3)

    assert status == 0
    assert f"Passed on.\nRight is: {grade(first, first.form.solved).solution}" in said
    assert "0 of 1 right." in said


def test_answers_that_end_end_the_quiz(answering) -> None:
    status, said, err = answering([], "--seed", 1)

    assert (status, err) == (0, "")
    assert said.endswith("0 of 0 right.\n")


def test_a_seed_is_drawn_and_told(answering) -> None:
    _, said, _ = answering(["q"], "--count", 1)
    seed = said.split("seed ")[1].split(".")[0]
    assert 0 <= int(seed) < 10_000


def test_json_holds_exercises_and_answers(command: Command) -> None:
    status, said, err = command("quiz", "--seed", 7, "--json")
    found = json.loads(said)

    assert (status, err, found["seed"]) == (0, "", 7)
    for told, one in zip(found["exercises"], exercises(7), strict=True):
        assert told["question"] == one.question
        assert grade(one, told["answer"]).right
        assert told["solution"]


def test_a_sheet_is_written(command: Command, tmp_path) -> None:
    out = tmp_path / "sheet.html"
    status, said, err = command("quiz", "--sheet", out, "--seed", 7, "--count", 4, "--kind", "size", "--kind", "cell")

    assert (status, err) == (0, "")
    assert said == f"Sheet 7, 4 exercises and their answers: {out}\n"
    page = out.read_text(encoding="utf-8")
    assert all(one.question in page for one in exercises(7, ["size", "cell"], 4))
    told = json.loads(command("quiz", "--sheet", out, "--seed", 7, "--json")[1])
    assert told["file"] == str(out)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--kind", "siz"], "no kind of exercise 'siz'"),
        (["--count", "0"], "from 1 to 100"),
        (["--seed", "-1"], "The seed must be"),
        (["--sheet", "a.pdf"], "must end in .html"),
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: list[str], reason: str) -> None:
    status, said, err = command("quiz", *arguments)

    assert (status, said) == (2, "")
    assert reason in " ".join(err.replace("│", " ").split())


def test_a_sheet_that_cannot_be_written_is_one_line(command: Command, tmp_path) -> None:
    status, _, err = command("quiz", "--sheet", tmp_path / "none" / "a.html", "--seed", 1)

    assert status == 1
    assert err.count("\n") == 1


def test_help_has_the_example(command: Command) -> None:
    status, said, err = command("quiz", "--help")

    assert (status, err) == (0, "")
    assert quiz.EXAMPLE in " ".join(said.split())
