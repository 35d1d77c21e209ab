import io

from rich.console import Console

from pellucid.train.callbacks import Progress
from pellucid.views.progress import TrainingDisplay, counting, downloading
from tests.views.outcomes import history


def train(console: Console) -> None:
    """Call the display as a training of two epochs of three steps would."""
    display = TrainingDisplay(console)
    progress = Progress(epochs=2, steps_per_epoch=3)
    display.begin(progress)
    for record in history(2):
        for _ in range(3):
            progress.step += 1
            progress.seen += 64
            progress.seen_here += 64
            progress.loss_sum += 32.0
            progress.correct += 48
            display.step(progress)
        progress.epoch += 1
        progress.seen = progress.correct = 0
        progress.loss_sum = 0.0
        display.epoch(progress, record)
    display.end(progress)


def test_a_terminal_sees_numbers_and_a_line_for_each_epoch() -> None:
    file = io.StringIO()
    train(Console(file=file, force_terminal=True, width=80, color_system=None))
    shown = file.getvalue()

    assert "epoch 1/2  loss 2.000  accuracy 50.0 %  validation 40.0 %  2 s\n" in shown.replace("\r", "")
    assert "epoch 2/2  loss 1.000  accuracy 75.0 %  validation 70.0 %  3 s\n" in shown.replace("\r", "")


def test_the_bar_fits_80_columns_and_tells_what_is_left() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system=None)
    display = TrainingDisplay(console)
    progress = Progress(epochs=12, steps_per_epoch=1000, step=500, seen=32000, seen_here=32000)
    display.begin(Progress(epochs=12, steps_per_epoch=1000))
    progress.loss_sum, progress.correct = 0.5 * 32000, 24000
    display.step(progress)
    display.end(progress)
    shown = file.getvalue()

    assert "epoch 1/12" in shown
    assert "loss 0.500  accuracy 75.0 %" in shown
    assert "images/s" in shown
    assert "left" in shown


def test_a_pipe_sees_nothing() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=False)
    train(console)
    with downloading(console) as progress:
        assert progress is None
    with counting(console, "pictures") as show:
        show(1, 2)
        show(2, 2)

    assert file.getvalue() == ""


def test_downloads_are_shown_by_name() -> None:
    file = io.StringIO()
    with downloading(Console(file=file, force_terminal=True, width=80, color_system=None)) as progress:
        assert progress is not None
        progress("images.gz", 500, 1000)
        progress("images.gz", 1000, 1000)

    assert "images.gz" in file.getvalue()


def test_counts_are_shown_with_what_is_counted() -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, color_system=None)
    with counting(console, "pictures") as show:
        show(0, 20)
        show(8, 20)
        assert "pictures" in file.getvalue()
        show(20, 20)
        with counting(console, "photos") as other:  # the first bar is gone, so that another may come
            other(0, 2, "[red].png")
            other(2, 2)
        show(1, 3)

    assert "[red].png" in file.getvalue()
