"""On whole networks: any cell's account comes to the engine's number, and its box is what NaN in the pixels shows."""

from dataclasses import dataclass

import numpy as np
import pytest

import pellucid as pel
import pellucid.nn as nn
from pellucid.explain.cell import Cell
from pellucid.explain.trace import Trace, trace
from pellucid.graph import Plan
from pellucid.ops.modes import PRECISION


@pytest.fixture(scope="module")
def fashion() -> tuple[nn.Module, np.ndarray]:
    """A trained pooled28, and a picture that it has not seen."""
    train, test = pel.datasets.load("fashion-mnist-mini")
    pel.manual_seed(0)
    net = pel.zoo.build("pooled28")
    pel.fit(net, (train.inputs()[:1500], train.labels[:1500]), epochs=1, optimizer=pel.optim.SGD(0.05), progress=False)
    return net, test.inputs(np.array([17]))[0]


def resnet18(side: int) -> tuple[nn.Module, np.ndarray]:
    """ResNet-18 with statistics as training leaves them: means off 0, variances off 1."""
    pel.manual_seed(1)
    net, rng = pel.zoo.build("resnet18", input=(3, side, side)), np.random.default_rng(2)
    for name, buffer in net.named_buffers():
        if name.endswith("running_mean"):
            buffer.data = rng.normal(0, 0.2, buffer.shape).astype(np.float32)
        elif name.endswith("running_var"):
            buffer.data = rng.uniform(0.3, 3, buffer.shape).astype(np.float32)
    return net, rng.standard_normal((3, side, side)).astype(np.float32)


@dataclass
class Sample:
    """Random cells of a trace, all layers alike."""

    t: Trace
    places: list[tuple[str, tuple[int, ...]]]

    @classmethod
    def of(cls, t: Trace, count: int) -> "Sample":
        rng, layers = np.random.default_rng(3), list(t)
        chosen = [layers[i] for i in rng.integers(len(layers), size=count)]
        return cls(t, [(layer.name, tuple(int(rng.integers(extent)) for extent in layer.shape)) for layer in chosen])

    def cells(self) -> list[Cell]:
        return [self.t.cell(name, *place) for name, place in self.places]


def assert_explained(t: Trace, cells: list[Cell]) -> None:
    scale = {layer.name: float(abs(layer.output).max()) for layer in t}
    for cell in cells:
        assert cell.error <= cell.bound, cell.text()
        assert cell.error <= 1e-6 * scale[cell.layer], cell.text()  # far less than the worst that rounding may do
    worst = {}
    for cell in cells:
        if cell.bound:
            worst[cell.op] = max(worst.get(cell.op, (0.0,)), (cell.error / cell.bound, cell.error, cell.bound))
    for op, (share, error, bound) in sorted(worst.items()):
        print(f"{op}: error at most {share:.2f} of its bound ({error:.2g} of {bound:.2g})")
    print(f"{len(cells)} cells, {sum(cell.error == 0 for cell in cells)} of them to the last bit")


def assert_boxes(net: nn.Module, image: np.ndarray, sample: Sample, cells: list[Cell]) -> None:
    """A row of NaN pixels makes NaN of those cells that depend on one of them; and so does a column."""
    rows, columns = reached(net, image, sample, 1), reached(net, image, sample, 2)
    for number, cell in enumerate(cells):
        y, x = np.flatnonzero(rows[:, number]), np.flatnonzero(columns[:, number])
        expected = (y[0], x[0], y[-1] + 1, x[-1] + 1) if y.size else (0, 0, 0, 0)
        assert cell.box == expected, cell.text()


def reached(net: nn.Module, image: np.ndarray, sample: Sample, axis: int) -> np.ndarray:
    """Return, for each row or column of pixels and each cell, whether NaN in the one makes NaN of the other."""
    with net.evaluating():
        graph = net.graph((1, *image.shape))
    with PRECISION.during("strict"):  # where NaN comes up, Winograd's algorithm is slow
        plan = Plan(graph, keep=tuple({name: None for name, _ in sample.places}))
    found = []
    for line in range(image.shape[axis]):
        spoilt = image[None].copy()
        spoilt[(slice(None),) * (axis + 1) + (line,)] = np.nan
        run = plan.run({next(iter(graph.inputs)): spoilt, **net.arrays()}, version=0)
        found.append([np.isnan(run[name][(0, *place)]) for name, place in sample.places])
    return np.array(found)


def test_pooled28(fashion: tuple[nn.Module, np.ndarray]) -> None:
    check(*fashion, 1000)


def test_resnet18_on_a_small_picture() -> None:
    check(*resnet18(64), 250)


def test_norms_by_the_pictures_own_statistics() -> None:
    pel.manual_seed(3)
    net = nn.Sequential(
        {
            "conv": nn.Conv2d(1, 4, 3, stride=2),
            "own": nn.BatchNorm2d(4, track_running_stats=False),
            "relu": nn.ReLU(),
            "pool": nn.AvgPool2d(2),
        }
    )
    check(net, np.random.default_rng(5).standard_normal((1, 12, 14)).astype(np.float32), 60)


@pytest.mark.long
def test_resnet18() -> None:
    check(*resnet18(224), 1000)


def check(net: nn.Module, image: np.ndarray, count: int) -> None:
    sample = Sample.of(trace(net, image), count)
    cells = sample.cells()
    assert_explained(sample.t, cells)
    assert_boxes(net, image, sample, cells)
