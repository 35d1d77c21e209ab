"""The steps on the way forward: a window of the convolution, a cell through ReLU, a window of the pooling."""

from collections.abc import Sequence

from pellucid import ops
from pellucid.explain.numbers import number
from pellucid.explain.steps.chain import Chain, rows_of
from pellucid.explain.steps.records import Lit, Work
from pellucid.explain.steps.words import listed, plain_sum, sentence, sum_of_products
from pellucid.types import Pair


def conv_step(chain: Chain, target: Pair) -> tuple[Work, str]:
    """Lay the kernel over one window: multiply, sum, add the bias."""
    cell = chain.trace.cell(chain.conv.name, 0, *target)
    patch, weights, products = (rows_of(part[0]) for part in (cell.patch, cell.weights, cell.products))
    taps = tuple((y, x) for y in range(len(weights)) for x in range(len(weights[0])))
    work = Work(
        grid="conv",
        target=target,
        lit=(Lit("image", chain.sliding.cells(target)), Lit("kernel", taps)),
        patch=patch,
        weights=weights,
        products=products,
        bias=cell.bias,
        total=cell.preactivation,
        value=cell.value,
    )
    pairs = [(patch[y][x], weights[y][x]) for y, x in taps]
    return work, sentence(target, sum_of_products(pairs, cell.bias, cell.value))


def relu_step(chain: Chain, target: Pair) -> tuple[Work, str]:
    """Let a positive cell pass; all others become 0."""
    given, value = (float(chain.map(name)[target]) for name in ("conv", "relu"))
    gate = float(given > 0)
    work = product_work("relu", target, (Lit("conv", (target,)),), [given], [gate], value)
    if given < 0:
        said = f"{number(given)} is negative, so ReLU makes it 0"
    else:
        said = f"{number(given)} is positive and stays" if given else "0 stays 0"
    return work, sentence(target, said)


def pool_step(chain: Chain, target: Pair) -> tuple[Work, str]:
    """Take the largest or the mean of one window."""
    assert chain.pool is not None
    weights = pool_weights(chain, target)
    relu = chain.map("relu")
    values = [float(relu[cell]) for cell in weights]
    value = float(chain.map("pool")[target])
    work = product_work("pool", target, (Lit("relu", tuple(weights)),), values, list(weights.values()), value)
    if isinstance(chain.pool.op, ops.MaxPool2d):
        said = f"the largest of {_some(values)} is {number(value)}"
    else:
        count = round(1 / next(iter(weights.values())))
        said = f"the mean of {len(values)} cells is ({plain_sum(values)}) / {count} = {number(value)}"
        if len(values) == 1:
            said = f"the mean of one cell is itself, {number(value)}"
    return work, sentence(target, said)


def pool_weights(chain: Chain, target: Pair) -> dict[Pair, float]:
    """Return what each cell of a pooling window counts for: 1 for the winner, 0 for the others, or 1/n for all."""
    assert chain.pool is not None
    sources = chain.trace.cell(chain.pool.name, 0, *target).sources
    return {(source.index[1], source.index[2]): float(source.weight or 0) for source in sources}


def product_work(
    grid: str, target: Pair, lit: tuple[Lit, ...], patch: Sequence[float], weights: Sequence[float], value: float
) -> Work:
    """Write down a step whose products lie in one row."""
    products = tuple(a * b + 0.0 for a, b in zip(patch, weights, strict=True))  # + 0.0: no −0
    return Work(grid, target, lit, (tuple(patch),), (tuple(weights),), (products,), 0.0, sum(products), value)


def _some(values: Sequence[float]) -> str:
    """Name up to nine numbers, of more the nine largest."""
    if len(values) <= 9:
        return listed(values)
    return f"{len(values)} cells, {', '.join(number(value) for value in sorted(values, reverse=True)[:9])}, …"
