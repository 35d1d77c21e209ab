"""200 random graphs: the box of every cell is what perturbing pixels in the reference shows; fields bound the boxes."""

from fractions import Fraction

import numpy as np
import pytest

from pellucid import ops
from pellucid.analysis.fields import fields
from pellucid.analysis.receptive_field import input_box, plane_axes
from pellucid.errors import ShapeError
from pellucid.graph import Graph, Plan
from pellucid.types import TensorType

SIZE = 11, 9
PERTURBATION = 1e6
"""So large that a changed pixel wins every maximum that it takes part in."""


class Drawing:
    """Draws a graph of images with one channel, whose numbers are all positive: nothing cancels, no ReLU is dead."""

    def __init__(self, seed):
        self.generator = np.random.default_rng(seed)
        self.graph = Graph()
        self.x = self.graph.input("x", TensorType((1, 1, *SIZE), "float64"))
        self.values, self.weights = [self.x], {}

    def pick(self, *choices):
        return choices[self.generator.integers(len(choices))]

    def pair(self, *choices):
        return self.pick(*choices), self.pick(*choices)

    def weight(self, *shape):
        name = f"weight{len(self.weights)}"
        self.weights[name] = self.generator.uniform(0.5, 1.0, shape)
        return self.graph.parameter(name, TensorType(shape, "float64"))

    def conv(self, x):
        border = self.pick("zeros", "zeros", "replicate", "reflect", "circular")
        padding = self.pair(0, 1, 2), self.pair(0, 1, 2)
        op = ops.Conv2d(self.pair(1, 1, 2), padding, self.pair(1, 1, 2), border=border)
        return op, (x, self.weight(1, 1, *self.pair(1, 2, 3)), None)

    def transposed(self, x):
        op = ops.ConvTranspose2d(self.pair(1, 2, 3), (self.pair(0, 1), self.pair(0, 1)), self.pair(1, 1, 2))
        return op, (x, self.weight(1, 1, *self.pair(1, 2, 3)), None)

    def pool(self, x):
        kind = self.pick(ops.MaxPool2d, ops.AvgPool2d)
        kernel = self.pair(2, 3)
        return kind(kernel, self.pair(1, 2), self.pick(((0, 0), (0, 0)), ((1, 1), (0, 0))), ceil_mode=True), (x,)

    def other(self, x):
        size = x.shape[2:]
        op = self.pick(
            ops.ReLU(),
            ops.Pad(((0, 0), (0, 0), self.pair(0, 1, 2), self.pair(0, 1, 2)), self.pick("zeros", "reflect")),
            ops.Slice(self.pick(2, 3), 1, min(size)),
            ops.Resize(self.pair(5, 8, 14), self.pick("nearest", "bilinear")),
            ops.Transpose((0, 1, 3, 2)),
            ops.AdaptiveAvgPool2d(self.pair(1, 2, 3)),
        )
        return op, (x,)

    def join(self, x):
        others = [value for value in self.values if value.shape == x.shape and value is not x]
        return (ops.Add(), (x, self.pick(*others))) if others else (ops.Add(), (x, x))

    def draw(self, length):
        while len(self.graph.nodes) < length:
            make = self.pick(self.conv, self.conv, self.pool, self.transposed, self.other, self.join, self.join)
            op, inputs = make(self.pick(*self.values[-3:]))
            try:
                value = self.graph.add(op, *inputs)
            except ShapeError:
                continue
            if max(value.shape[2:]) < 30:
                self.values.append(value)
        self.graph.outputs = {"y": self.values[-1]}
        return self


def seen_by_perturbing(drawing):
    """Return (cells of the output, pixels) of bool: which pixels move which cells."""
    pixels = SIZE[0] * SIZE[1]
    image = drawing.generator.uniform(0.5, 1.0, (1, 1, *SIZE))
    images = np.repeat(image, pixels, 0)
    images.reshape(pixels, pixels)[np.arange(pixels), np.arange(pixels)] += PERTURBATION
    graph = batched(drawing.graph, pixels + 1)
    (y,) = Plan(graph, "reference").run({"x": np.concatenate([images, image]), **drawing.weights}).values()
    return (y[:-1] != y[-1]).reshape(pixels, -1).T


def batched(graph, count):
    """Build the same graph for more images."""
    larger = Graph()
    values = {"x": larger.input("x", TensorType((count, 1, *SIZE), "float64"))}
    values |= {name: larger.parameter(name, value.type) for name, value in graph.parameters.items()}
    for node in graph.nodes:
        given = [None if value is None else values[value.name] for value in node.inputs]
        larger.add(node.op, *given, name=node.name)
        values |= {old.name: new for old, new in zip(node.outputs, larger.nodes[-1].outputs, strict=True)}
    larger.outputs = {"y": values[graph.outputs["y"].name]}
    return larger


def in_order(graph, y):
    """Rows and columns of a map, in whichever order its axes are."""
    return tuple(y.shape[axis] for axis in plane_axes(graph)[y.name])


def box_of(mask):
    rows, columns = np.nonzero(mask.reshape(SIZE))
    return (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1) if len(rows) else (0, 0, 0, 0)


@pytest.mark.parametrize("start", range(0, 200, 20))
def test_the_box_is_what_perturbing_pixels_shows(start):
    for seed in range(start, start + 20):
        drawing = Drawing(seed).draw(6)
        y = drawing.graph.outputs["y"]
        moved = seen_by_perturbing(drawing)
        for cell, mask in enumerate(moved):
            place = divmod(cell, y.shape[3])
            place = place if plane_axes(drawing.graph)[y.name] == (2, 3) else place[::-1]
            assert input_box(drawing.graph, y, *place) == box_of(mask), (seed, place, str(drawing.graph))


@pytest.mark.parametrize("start", range(0, 400, 40))
def test_fields_hold_every_box(start):
    """A box is part of the field of its cell; one that touches no edge of the image, or of a map between, is all of it.

    Not so where borders mirror pixels, where a resized map has steps of several sizes, or where a transposed window
    gives every second cell less.
    """
    whole = 0
    for seed in range(start, start + 40):
        graph = Drawing(seed).draw(4).graph
        y = graph.outputs["y"]
        field = fields(graph)[y.name]
        odd = ("Pad", "Resize", "ConvTranspose2d", "AdaptiveAvgPool2d")
        mirrored = any(getattr(node.op, "border", "zeros") != "zeros" for node in graph.nodes)
        if field.reaches is None or mirrored or any(node.op.kind in odd for node in graph.nodes):
            continue
        for place in np.ndindex(*in_order(graph, y)):
            box = input_box(graph, y, *place)
            for axis, reach in enumerate(field.reaches):
                first = reach.centre + place[axis] * reach.jump - Fraction(reach.size - 1) / 2
                low, high = box[axis], box[axis + 2]
                assert high == low or first <= low < high <= first + reach.size, (seed, place, axis)
                whole += high - low == reach.size
    assert whole > 100


def test_the_field_of_a_transposed_window_is_that_of_its_fullest_cells():
    for kernel, stride, dilation in [(3, 2, 1), (4, 2, 1), (2, 3, 1), (3, 2, 2), (5, 3, 1)]:
        graph = Graph()
        x, weight = (
            graph.input("x", TensorType((1, 1, 12, 12))),
            graph.parameter("w", TensorType((1, 1, kernel, kernel))),
        )
        y = graph.add(ops.ConvTranspose2d((stride, stride), dilation=(dilation, dilation)), x, weight, None)
        boxes = [input_box(graph, y, cell, cell) for cell in range(y.shape[2])]
        (reach, _) = fields(graph)[y.name].reaches
        assert max(box[2] - box[0] for box in boxes) == reach.size
        assert reach.jump == Fraction(1, stride)
