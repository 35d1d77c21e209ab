"""The way back: gradients through pooling, ReLU and convolution, and the steps that show where each comes from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pellucid import ops
from pellucid.errors import ParameterError
from pellucid.explain.numbers import number
from pellucid.explain.steps.chain import Chain, rows_of
from pellucid.explain.steps.forward import pool_weights, product_work
from pellucid.explain.steps.records import Grid, Lit, Work
from pellucid.explain.steps.words import place, plain_sum, sentence, sum_of_products
from pellucid.explain.trace import Trace
from pellucid.graph import Graph, Plan, Value, differentiate
from pellucid.nn.settings import is_integer
from pellucid.types import Array, Pair, TensorType


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Gradients of Σ start × result by every map, (H, W), by the kernel as it was given, and by the bias.

    ``start`` is the gradient put in at the last map; ``pool`` equals it, and is None without pooling.
    """

    start: Array
    pool: Array | None
    relu: Array
    conv: Array
    kernel: Array
    bias: float
    image: Array


def slopes(trace: Trace, cell: Pair | None = None) -> Slopes:
    """Differentiate the sum of the last map, or one ``cell`` of it, by everything before it.

    The engine computes it from the graph's own derivative. Raises ParameterError where there is no such cell, or the
    trace is no chain of convolution, ReLU and pooling.

    >>> from pellucid.explain.steps.frame import pipeline
    >>> slopes(pipeline([[1, 2], [3, 4]], [[1]])).kernel.tolist()
    [[4.0]]
    """
    chain = Chain.of(trace)
    last = "relu" if chain.pool is None else "pool"
    start = _start(chain.map(last), cell)
    graph = Graph()
    kernel = chain.kernel[::-1, ::-1] if chain.flip else chain.kernel
    feeds = {
        "image": trace.image[None],
        "kernel": np.ascontiguousarray(kernel[None, None]),
        "bias": np.array([chain.bias], trace.image.dtype),
    }
    image, weight, bias = (graph.input(name, TensorType.of(array)) for name, array in feeds.items())
    conv = graph.add(chain.conv.op, image, weight, bias, name="conv")
    relu = graph.add(chain.relu.op, conv, name="relu")
    result = relu if chain.pool is None else graph.add(chain.pool.op, relu, name="pool")
    loss = (result * start[None, None]).sum()
    found = differentiate(graph, loss, [image, weight, bias, conv, relu, result])
    return _run(graph, found, feeds, start, has_pool=chain.pool is not None)


def _run(graph: Graph, found: dict[str, Value], feeds: dict[str, Array], start: Array, *, has_pool: bool) -> Slopes:
    run = Plan(graph, keep=tuple(value.name for value in found.values())).run(feeds)
    arrays = {name: run[value.name] for name, value in found.items()}
    return Slopes(
        start=start,
        pool=arrays["pool"][0, 0] if has_pool else None,
        relu=arrays["relu"][0, 0],
        conv=arrays["conv"][0, 0],
        kernel=arrays["kernel"][0, 0],
        bias=float(arrays["bias"][0]),
        image=arrays["image"][0, 0],
    )


def _start(result: Array, cell: Pair | None) -> Array:
    if cell is None:
        return np.ones_like(result)
    height, width = result.shape
    fits = len(cell) == 2 and all(
        is_integer(index) and 0 <= index < size for index, size in zip(cell, result.shape, strict=True)
    )
    if not fits:
        raise ParameterError(
            f"The 'cell' parameter of slopes must be (row, column) on the last map, 0 to {height - 1} and "
            f"0 to {width - 1}; got {cell!r}."
        )
    start = np.zeros_like(result)
    start[cell] = 1
    return start


def gradient_grids(chain: Chain, slopes: Slopes) -> Iterator[Grid]:
    """Describe the gradients' maps, in the order of the way back; that of the kernel lies as it is slid."""
    if slopes.pool is not None:
        yield Grid("d_pool", "gradient of the pool", rows_of(slopes.pool))
    yield Grid("d_relu", "gradient of ReLU", rows_of(slopes.relu))
    yield Grid("d_conv", "gradient of the convolution", rows_of(slopes.conv))
    turned = slopes.kernel[::-1, ::-1] if chain.flip else slopes.kernel
    yield Grid("d_kernel", "gradient of the kernel", rows_of(turned))
    yield Grid("d_bias", "gradient of the bias", ((slopes.bias,),))
    yield Grid("d_image", "gradient of the image", rows_of(slopes.image))


def back_sentence(slopes: Slopes) -> str:
    """Say what the way back begins with."""
    last = "ReLU" if slopes.pool is None else "the pool"
    ones = [tuple(map(int, cell)) for cell in np.argwhere(slopes.start)]
    if len(ones) == slopes.start.size:
        return f"Now back: by how much does the sum of {last} grow as a number grows? As its own cells do, by 1 each."
    where = place((ones[0][0], ones[0][1]))
    return f"Now back: by how much does the cell of {last} at {where} grow as a number grows? As it does itself, by 1."


def d_relu_step(chain: Chain, slopes: Slopes, target: Pair) -> tuple[Work, str]:
    """Collect what the pooling windows over a cell send back: to the winner all, or a share to each."""
    assert chain.pooling is not None
    assert slopes.pool is not None
    down, across = (
        [window for window in range(count) if place in axis.inputs(window)]
        for axis, count, place in zip(
            (chain.pooling.rows, chain.pooling.columns), chain.pooling.count, target, strict=True
        )
    )
    shares = {(y, x): pool_weights(chain, (y, x))[target] for y in down for x in across}
    patch = [float(slopes.pool[window]) for window in shares]
    value = float(slopes.relu[target])
    lit = (Lit("d_pool", tuple(shares)),)
    work = product_work("d_relu", target, lit, patch, list(shares.values()), value)
    if not shares:
        said = "no window covers it, so it gets 0"
    elif isinstance(chain.pool.op, ops.MaxPool2d):  # type: ignore[union-attr]
        won = [(window, slope) for (window, share), slope in zip(shares.items(), patch, strict=True) if share]
        said = _won(won, value) if won else "it won no window, so it gets 0"
    else:
        pairs = list(zip(patch, shares.values(), strict=True))
        said = f"its share of each window: {sum_of_products(pairs, 0.0, value)}"
    return work, sentence(target, said, "ReLU")


def _won(won: list[tuple[Pair, float]], value: float) -> str:
    if len(won) == 1:
        return f"it won the window at {place(won[0][0])} and gets its gradient, {number(value)}"
    return f"it won {len(won)} windows and gets {plain_sum([slope for _, slope in won])} = {number(value)}"


def d_conv_step(chain: Chain, slopes: Slopes, target: Pair) -> tuple[Work, str]:
    """Let the gradient pass where ReLU let the number pass."""
    before, slope = float(chain.map("conv")[target]), float(slopes.relu[target])
    gate = float(before > 0)
    value = float(slopes.conv[target])
    work = product_work("d_conv", target, (Lit("d_relu", (target,)),), [slope], [gate], value)
    if gate:
        said = f"{number(before)} passed ReLU, so its gradient passes, too: {number(value)}"
    else:
        said = f"ReLU stopped {number(before)}, so the gradient stops: 0"
    return work, sentence(target, said, "convolution")


def d_kernel_step(chain: Chain, slopes: Slopes, target: Pair) -> tuple[Work, str]:
    """Sum, over all windows, the pixel that a weight met times the gradient of the window's cell."""
    sliding = chain.sliding
    height, width = sliding.count
    ys = [sliding.rows.inputs(cell)[target[0]] for cell in range(height)]
    xs = [sliding.columns.inputs(cell)[target[1]] for cell in range(width)]
    met = tuple((y, x) for y in ys for x in xs)
    patch = tuple(tuple(chain.pixel((y, x)) for x in xs) for y in ys)
    weights = rows_of(slopes.conv)
    products = tuple(
        tuple(a * b + 0.0 for a, b in zip(*pair, strict=True)) for pair in zip(patch, weights, strict=True)
    )
    turned = (len(chain.kernel) - 1 - target[0], len(chain.kernel[0]) - 1 - target[1])
    value = float(slopes.kernel[turned if chain.flip else target])
    work = Work(
        grid="d_kernel",
        target=target,
        lit=(Lit("image", met), Lit("d_conv", tuple(np.ndindex(height, width)))),
        patch=patch,
        weights=weights,
        products=products,
        bias=0.0,
        total=sum(map(sum, products)),
        value=value,
    )
    pairs = [pair for row in zip(patch, weights, strict=True) for pair in zip(*row, strict=True)]
    return work, sentence(target, f"pixel · gradient, over all windows: {sum_of_products(pairs, 0.0, value)}", "weight")


def d_bias_step(chain: Chain, slopes: Slopes, target: Pair) -> tuple[Work, str]:
    """Sum the gradients of all cells, each of which the bias is added to."""
    patch = slopes.conv.ravel().tolist()
    lit = (Lit("d_conv", tuple(np.ndindex(*slopes.conv.shape))),)
    work = product_work("d_bias", target, lit, patch, [1.0] * len(patch), slopes.bias)
    return (
        work,
        f"The bias is in every cell, so it gets all their gradients: {plain_sum(patch)} = {number(slopes.bias)}.",
    )


def d_image_step(chain: Chain, slopes: Slopes, target: Pair) -> tuple[Work, str]:
    """Sum, over all windows that saw a pixel, the weight that met it times the gradient of the window's cell."""
    down, across = (_meetings(chain, axis, place) for axis, place in enumerate(target))
    met = [((y, x), (i, j)) for y, i in down for x, j in across]
    patch = [float(slopes.conv[cell]) for cell, _ in met]
    weights = [float(chain.kernel[tap]) for _, tap in met]
    value = float(slopes.image[target])
    lit = (Lit("d_conv", tuple(cell for cell, _ in met)), Lit("kernel", tuple(tap for _, tap in met)))
    work = product_work("d_image", target, lit, patch, weights, value)
    added = sum_of_products(list(zip(patch, weights, strict=True)), 0.0, value)
    said = f"gradient · weight, over the windows that saw it: {added}" if met else "no window saw it, so it gets 0"
    return work, sentence(target, said, "pixel")


def _meetings(chain: Chain, axis: int, place: int) -> list[Pair]:
    """Return (window, tap) wherever a row (axis 0) or column of the image, or a copy of it in the border, is met."""
    along = (chain.sliding.rows, chain.sliding.columns)[axis]
    return [
        (window, tap)
        for window in range(chain.sliding.count[axis])
        for cell, tap in along.taps(window)
        if chain.source(cell, axis) == place
    ]
