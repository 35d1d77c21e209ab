"""What a terminal shows while something takes its time. In a pipe it stays quiet."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Display

from pellucid.train.callbacks import Callback, Progress

if TYPE_CHECKING:
    from pellucid.data.download import Progress as OnBytes


class TrainingDisplay(Callback):
    """Shows epoch, loss, accuracy, speed and time left, and leaves a line for each epoch."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._display: Display | None = None
        self._task = TaskID(0)
        self._first = 0
        """Steps done before this process began: a resumed run did them earlier."""

    def begin(self, progress: Progress) -> None:
        """Show the bar, if somebody can see it."""
        if not self._console.is_terminal:
            return
        self._first = progress.step
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=10), TextColumn("{task.fields[numbers]}"))
        self._display = Display(*columns, console=self._console, transient=True)
        self._task = self._display.add_task("", total=progress.steps, completed=progress.step, numbers="")
        self._display.start()

    def step(self, progress: Progress) -> None:
        """Move the bar on."""
        if self._display is not None:
            done = min(progress.epoch + 1, progress.epochs)
            self._display.update(
                self._task,
                completed=progress.step,
                description=f"epoch {done}/{progress.epochs}",
                numbers=_numbers(progress, progress.step - self._first),
            )

    def epoch(self, progress: Progress, record: dict[str, Any]) -> None:
        """Leave a line of the epoch's results."""
        if self._display is not None:
            self._console.print(_line(progress, record))

    def end(self, progress: Progress) -> None:
        """Take the bar away."""
        if self._display is not None:
            self._display.stop()
            self._display = None
            self._console.print()


@contextmanager
def downloading(console: Console) -> Iterator["OnBytes | None"]:
    """Give a function that shows how far a download is, or None where nobody can see it."""
    if not console.is_terminal:
        yield None
        return
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), DownloadColumn(), TransferSpeedColumn())
    with Display(*columns, console=console, transient=True) as display:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = display.add_task(name, total=total)
            display.update(tasks[name], completed=done)

        yield show


class OnCount(Protocol):
    """Takes how much is done, of how much, and what is being done if that changes."""

    def __call__(self, done: int, total: int, what: str | None = None) -> None:
        """Show it."""


@contextmanager
def counting(console: Console, what: str) -> Iterator[OnCount]:
    """Give a function that shows how far something is; in a pipe it does nothing.

    The bar is there from the first count to the last, so that other displays may come before, between and after.
    """
    columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24), MofNCompleteColumn())
    display = Display(*columns, TimeRemainingColumn(), console=console, transient=True, disable=not console.is_terminal)
    task = display.add_task(what, total=None)

    def show(done: int, total: int, what: str | None = None) -> None:
        display.update(task, completed=done, total=total, description=what)
        if done < total:
            display.start()
        else:
            display.stop()

    try:
        yield show
    finally:
        display.stop()


def _numbers(progress: Progress, steps_here: int) -> str:
    left = (progress.steps - progress.step) * progress.seconds / max(1, steps_here)
    minutes, seconds = divmod(round(left), 60)
    return (
        f"loss {progress.loss:.3f}  accuracy {100 * progress.accuracy:.1f} %  "
        f"{progress.images_per_second:,.0f} images/s  {minutes}:{seconds:02} left"
    )


def _line(progress: Progress, record: dict[str, Any]) -> str:
    held_back = record.get("validation_accuracy")
    validation = "" if held_back is None else f"  validation {100 * held_back:.1f} %"
    return (
        f"epoch {record['epoch']}/{progress.epochs}  loss {record['loss']:.3f}  "
        f"accuracy {100 * record['accuracy']:.1f} %{validation}  [dim]{record['seconds']:.0f} s[/dim]"
    )
