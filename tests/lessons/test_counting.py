"""Sizes, parameters, multiply-adds and fields against PyTorch and plain formulas, read back from the questions."""

import re

import pytest
import torch

from pellucid.lessons.exercises.fields import Layer
from pellucid.lessons.exercises.kinds import exercise, grade

SEEDS = range(60)


def numbers(pattern, text):
    found = re.search(pattern, text)
    assert found, text
    return [int(part) if part and part.isdigit() else part for part in found.groups()]


@pytest.mark.parametrize("seed", SEEDS)
def test_sizes_are_pytorchs(seed):
    made = exercise("size", seed)
    kind, kernel, padding, stride, dilation, size = numbers(
        r"A (.+) with a (\d+)×\d+ kernel, padding (\d+) .* stride (\d+)(?:, dilation (\d+))? slides over (\d+)×",
        made.question,
    )
    image = torch.zeros(1, 1, size, size)
    if kind == "convolution":
        y = torch.nn.Conv2d(1, 1, kernel, stride, padding, dilation or 1)(image)
    else:
        y = torch.nn.MaxPool2d(kernel, stride, padding)(image)
    assert made.form.solved == y.shape[2]
    worked = re.search(r"= (\d+)$", made.form.working)
    assert int(worked[1]) == y.shape[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_parameters_are_pytorchs(seed):
    made = exercise("parameters", seed)
    if "dense" in made.question:
        maps, side, units = numbers(r"reads (\d+) maps? of (\d+)×\d+ .* gives (\d+) numbers", made.question)
        layer = torch.nn.Linear(maps * side * side, units)
    else:
        after, before, kernel, groups, bias = numbers(
            r"makes (\d+) maps from (\d+) chan.* with (\d+)×\d+ kernels(?: in (\d+) groups)? and (no biases|biases)",
            made.question,
        )
        layer = torch.nn.Conv2d(before, after, kernel, groups=groups or 1, bias=bias == "biases")
    assert made.form.solved == sum(parameter.numel() for parameter in layer.parameters())


@pytest.mark.parametrize("seed", SEEDS)
def test_macs_are_the_ones_that_a_layer_of_ones_adds_up(seed):
    made = exercise("macs", seed)
    kernel, padding, stride, after, before, side = numbers(
        r"A (\d+)×\d+ convolution with padding (\d+) and stride (\d+) makes (\d+) maps from (\d+) channels? of (\d+)×",
        made.question,
    )
    layer = torch.nn.Conv2d(before, after, kernel, stride, padding, bias=False, padding_mode="replicate")
    torch.nn.init.ones_(layer.weight)
    assert made.form.solved == layer(torch.ones(1, before, side, side)).sum().item()


def field_by_gradient(layers):
    """Return how many pixels in a row a cell's gradient reaches, with weights of ones and average for max pooling."""
    image = torch.zeros(1, 1, 1, 300, requires_grad=True)
    y = image
    for layer in layers:
        if layer.pools:
            y = torch.nn.functional.avg_pool2d(y, (1, layer.kernel), (1, layer.stride))
        else:
            ones = torch.ones(1, 1, 1, layer.kernel)
            y = torch.nn.functional.conv2d(y, ones, stride=(1, layer.stride), dilation=(1, layer.dilation))
    y[0, 0, 0, y.shape[3] // 2].backward()
    seen = image.grad[0, 0, 0].nonzero()
    return int(seen.max() - seen.min()) + 1


@pytest.mark.parametrize("seed", SEEDS)
def test_fields_are_what_gradients_reach(seed):
    made = exercise("field", seed)
    layers = [
        Layer(int(kernel), int(stride or 1), int(dilation or 1), kind == "max pooling")
        for kernel, kind, stride, dilation in re.findall(
            r"a (\d)×\d (convolution|max pooling)(?: of stride (\d))?(?: of dilation (\d))?", made.question
        )
    ]
    assert len(layers) == made.question.count(" a ")
    assert made.form.solved == field_by_gradient(layers)


@pytest.mark.parametrize(
    ("kind", "seed", "answer", "why"),
    [
        ("size", 0, "7.33", "A window that does not fit as a whole is left out"),
        ("size", 0, 8, "You rounded up"),
        ("parameters", 0, 588, "You left out the biases"),
        ("parameters", 0, 3 * 14 * 14 * 4 * 14 * 14, "That is a dense layer"),
        ("macs", 1, "1,536,000", "That counts each multiplication and each addition by itself: FLOPs"),
        ("field", 0, 9, "A stride spreads everything after it"),
        ("field", 0, 10, "Neighbouring windows overlap"),
    ],
)
def test_usual_mistakes_are_recognised(kind, seed, answer, why):
    found = grade(exercise(kind, seed), answer)
    assert not found.right
    assert found.why.startswith(why)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("size", "Padding lies on both sides, so it counts twice."),
        ("size", "Dilation spreads the kernel: its 3 cells span 5."),
        ("size", "The first window counts, too: add 1."),
        ("parameters", "You counted biases; this layer has none."),
        ("parameters", "Each filter has a bias of its own, not one for all."),
        ("macs", "Count the cells that come out, not those that go in: the stride leaves some out."),
        ("field", "A stride counts for the layers after it, not for its own."),
        ("field", "The kernels of the earlier layers add to it, too."),
    ],
)
def test_each_mistake_comes_up(kind, why):
    assert any(why == mistake.why for seed in SEEDS for mistake in exercise(kind, seed).form.mistakes)
