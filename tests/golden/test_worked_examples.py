"""Every number of worked_examples.json, from both executors where arrays are computed."""

import json
from pathlib import Path

import numpy as np
import pytest

import pellucid.nn as nn
from pellucid import ops, zoo
from pellucid.analysis.receptive_field import input_box
from pellucid.geometry import Axis, Window, named_padding
from pellucid.graph import EXECUTORS, Graph, Plan
from pellucid.types import TensorType

GOLDEN = json.loads(Path(__file__).with_name("worked_examples.json").read_text(encoding="utf-8"))
EXAMPLES = {example["id"]: example for example in GOLDEN["examples"]}
NETWORKS = {network["name"]: network for network in GOLDEN["networks"]}

pytestmark = pytest.mark.filterwarnings("error")


def plane(rows):
    return np.array(rows, "float32")[None, None]


def compute(executor, op, *arrays):
    """Return the first result of one operation, computed through a graph and a plan."""
    graph = Graph()
    names = [f"input{i}" for i in range(len(arrays))]
    inputs = [graph.input(name, TensorType.of(array)) for name, array in zip(names, arrays, strict=True)]
    missing = [None] * (len(op.arguments) - len(inputs))
    graph.outputs["output"] = y = graph.add(op, *inputs, *missing)
    return Plan(graph, executor).run(dict(zip(names, arrays, strict=True)))[y.name]


def convolved(executor, example, image=None, kernel=None):
    cells = example["padding"]
    op = ops.Conv2d((example["stride"],) * 2, ((cells, cells), (cells, cells)))
    image = plane(example["image"]) if image is None else image
    kernel = plane(example["kernel"]) if kernel is None else kernel
    return compute(executor, op, image, kernel, np.array([example["bias"]], "float32"))[0, 0]


executors = pytest.mark.parametrize("executor", EXECUTORS)


@executors
def test_vertical_edge_cell(executor):
    example = EXAMPLES["vertical-edge-cell"]
    y = convolved(executor, example)
    assert list(y.shape) == example["output_shape"]
    assert y[tuple(example["cell"])] == example["cell_value"]


@executors
def test_sobel_on_a_step(executor):
    example = EXAMPLES["sobel-on-step"]
    assert convolved(executor, example).tolist() == example["output"]


@executors
@pytest.mark.parametrize("transposed", [False, True])
def test_bar_convolved_rectified_pooled(executor, transposed):
    """The transposed image with the transposed kernel gives the transposed maps at every stage."""
    example = EXAMPLES["bar-conv-relu-pool"]

    def turned(array):
        return array.swapaxes(-1, -2) if transposed else array

    maps = convolved(executor, example, turned(plane(example["image"])), turned(plane(example["kernel"])))
    assert turned(maps).tolist() == example["conv"]
    rectified = compute(executor, ops.ReLU(), maps[None, None])
    assert turned(rectified[0, 0]).tolist() == example["relu"]
    pool = example["pool"]
    pooled = compute(executor, ops.MaxPool2d((pool["kernel"],) * 2, (pool["stride"],) * 2), rectified)[0, 0]
    assert turned(pooled).tolist() == pool["output"]
    if transposed:
        assert example["transposed_variant"].endswith(
            f"pool output {json.dumps(pooled.astype(int).tolist())}".replace(", ", ",")
        )


@executors
@pytest.mark.parametrize("name", ["maxpool-a", "maxpool-b"])
def test_max_pooling(executor, name):
    example = EXAMPLES[name]
    op = ops.MaxPool2d((example["kernel"],) * 2, (example["stride"],) * 2)
    assert compute(executor, op, plane(example["image"]))[0, 0].tolist() == example["output"]


def test_no_example_is_left_out():
    assert set(EXAMPLES) == {
        "vertical-edge-cell", "sobel-on-step", "bar-conv-relu-pool", "maxpool-a", "maxpool-b",
    }  # fmt: skip


@executors
@pytest.mark.parametrize("row", GOLDEN["output_sizes"], ids=str)
def test_output_sizes(executor, row):
    size, kernel, cells, stride = (row[name] for name in ("input", "kernel", "padding", "stride"))
    assert Axis(kernel, stride, cells, cells).output_size(size) == row["output"]
    op = ops.Conv2d((stride, stride), ((cells, cells), (cells, cells)))
    y = compute(executor, op, np.zeros((1, 1, size, size), "float32"), np.zeros((1, 1, kernel, kernel), "float32"))
    assert y.shape == (1, 1, row["output"], row["output"])


@pytest.mark.parametrize("row", GOLDEN["named_padding"], ids=str)
def test_named_padding(row):
    kernel, cells = (row["kernel"],) * 2, row["padding"]
    assert named_padding(row["name"], kernel, (1, 1), (1, 1)) == ((cells, cells), (cells, cells))
    assert nn.Conv2d(1, 1, row["kernel"], padding=row["name"]).op.padding == ((cells, cells), (cells, cells))


LARGEST_ALLOCATED = 20_000_000
"""Parameters; beyond, a layer's are counted from the shapes that its operation asks for, without any array."""


def parameters_of(row):
    """Count the parameters of a layer by making it, or, where that would fill the memory, from its shapes."""
    inputs, outputs, bias = row["in"], row["out"], row["bias"]
    if row["parameters"] <= LARGEST_ALLOCATED:
        if row["layer"] == "conv":
            layer = nn.Conv2d(inputs, outputs, row["kernel"], groups=row.get("groups", 1), bias=bias)
        else:
            layer = nn.Linear(inputs, outputs, bias=bias)
        return sum(parameter.data.size for parameter in layer.parameters())
    assert row["layer"] == "linear"
    graph = Graph()
    weight = graph.parameter("weight", TensorType((outputs, inputs)))
    offset = graph.parameter("bias", TensorType((outputs,))) if bias else None
    assert graph.add(ops.Linear(), graph.input("x", TensorType((1, inputs))), weight, offset).shape == (1, outputs)
    return sum(value.type.size for value in graph.parameters.values())


@pytest.mark.parametrize("row", GOLDEN["parameter_counts"], ids=str)
def test_parameter_counts(row):
    assert parameters_of(row) == row["parameters"]


@executors
@pytest.mark.parametrize("row", GOLDEN["macs"], ids=str)
def test_macs(executor, row):
    rows, columns = row["output_hw"]
    margin = row["kernel"] // 2
    layer = nn.Conv2d(row["in"], row["out"], row["kernel"], padding=margin)
    (node,) = layer.graph((1, row["in"], rows, columns)).nodes
    assert node.outputs[0].shape == (1, row["out"], rows, columns)
    assert node.op.macs(*node.types) == row["macs"]
    # counted: every product is of a one with a one, and replicated edges are ones too
    ones = [np.ones(type_.shape, "float32") for type_ in node.types[:2]]
    counted = compute(executor, ops.Conv2d(padding=node.op.padding, border="replicate"), *ones)
    assert counted.sum() == row["macs"]


def field_by_windows(layers):
    """Walk from one cell back through the windows, by hand, and measure how many input cells it sees."""
    cells = {1000}
    for kernel, stride in reversed(layers):
        window = Window.of((kernel, 1), (stride, 1))
        cells = {cell for place in cells for cell in window.rows.inputs(place)}
    return max(cells) - min(cells) + 1


def field_by_graph(layers):
    """Ask the analysis of a real network, for a cell far from the borders."""
    net = nn.Sequential(*[nn.Conv2d(1, 1, kernel, stride) for kernel, stride in layers])
    graph = net.graph((1, 1, 64, 64))
    y0, x0, y1, x1 = input_box(graph, graph.outputs["output"], 2, 3)
    assert y1 - y0 == x1 - x0
    return y1 - y0


@pytest.mark.parametrize("row", [row for row in GOLDEN["receptive_fields"] if "layers" in row], ids=str)
def test_receptive_fields(row):
    for count, expected in enumerate(row["fields"], 1):
        assert field_by_windows(row["layers"][:count]) == expected
        assert field_by_graph(row["layers"][:count]) == expected


def test_layers_needed_to_see_224_pixels():
    (row,) = [row for row in GOLDEN["receptive_fields"] if "layers_needed" in row]
    needed = next(count for count in range(1, 300) if field_by_windows([[3, 1]] * count) >= 224)
    assert needed == row["layers_needed"]


def outputs_of(net, executor, shape):
    """Return what each layer's result really is, by the layer's name."""
    graph = net.graph((1, *shape))
    kept = {name: value.name for name, value in graph.layers.items()}
    feeds = {"x": np.zeros((1, *shape), "float32")} | net.arrays()
    arrays = Plan(graph, executor, keep=tuple(kept.values())).run(feeds)
    return {name: list(arrays[value].shape[1:]) for name, value in kept.items()}


@executors
@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if "rows" in network])
def test_networks(executor, name):
    network = NETWORKS[name]
    shape = tuple(network["input"])
    assert zoo.usual_input(name) == shape
    net = zoo.build(name)
    graph = net.graph((1, *shape))
    counts = {}
    for path, value in graph.parameters.items():
        layer = path.rpartition(".")[0]
        counts[layer] = counts.get(layer, 0) + value.type.size
    shapes = outputs_of(net, executor, shape)
    rows = [[row, list(graph.layers[row].shape[1:]), counts.get(row, 0)] for row, *_ in network["rows"]]
    assert rows == network["rows"]
    assert [[row, shapes[row]] for row, *_ in rows] == [[row, shape] for row, shape, _ in network["rows"]]
    assert sum(counts.values()) == network["parameters"]
    assert sum(parameter.data.size for parameter in net.parameters()) == network["parameters"]
    if "conv_parameters" in network:
        linear = sum(count for layer, count in counts.items() if layer.startswith("fc"))
        assert network["parameters"] - linear == network["conv_parameters"]
        assert linear == network["linear_parameters"]
        assert round(100 * linear / network["parameters"], 1) == network["linear_share_percent"]


@executors
def test_the_funnel(executor):
    network = NETWORKS["funnel"]
    shapes = outputs_of(zoo.build("funnel"), executor, tuple(network["input"]))
    assert [shapes[f"pool{stage}"] for stage in (1, 2, 3, 4)] == network["stages"]


def test_the_zoo_has_every_network():
    assert set(NETWORKS) <= set(zoo.names())


def count(*layers):
    return sum(parameter.data.size for layer in layers for parameter in layer.parameters())


def test_ratios():
    standard = count(nn.Conv2d(64, 64, 3, bias=False))
    dense = {"layer": "linear", "in": 3072, "out": 10240, "bias": True, "parameters": 31467520}
    found = [
        parameters_of(dense) / count(nn.Conv2d(3, 10, 5)),
        count(nn.Conv2d(256, 256, 3, bias=False))
        / count(nn.Conv2d(256, 64, 1), nn.Conv2d(64, 64, 3), nn.Conv2d(64, 256, 1)),
        standard / count(nn.Conv2d(64, 64, 3, groups=64, bias=False), nn.Conv2d(64, 64, 1, bias=False)),
        standard / count(nn.Conv2d(64, 64, 3, groups=4, bias=False)),
    ]
    expected = [row["ratio"] for row in GOLDEN["ratios"]]
    assert [round(found[0], 1), *(round(ratio, 2) for ratio in found[1:])] == expected


KERNELS = {name: np.array(rows, "float32") for name, rows in GOLDEN["kernels"].items() if isinstance(rows, list)}
IMAGE = np.random.default_rng(0).integers(0, 256, (1, 1, 8, 9)).astype("float32")


def filtered(executor, kernel, image=IMAGE):
    return compute(executor, ops.Conv2d(), image, np.asarray(kernel, "float32")[None, None])[0, 0]


@executors
@pytest.mark.parametrize("name", KERNELS)
def test_an_impulse_shows_the_kernel(executor, name):
    """Cross-correlation turns the kernel by 180°."""
    impulse = np.zeros((1, 1, 5, 5), "float32")
    impulse[0, 0, 2, 2] = 1
    assert filtered(executor, KERNELS[name], impulse).tolist() == KERNELS[name][::-1, ::-1].tolist()


def test_edge_kernels_answer_to_nothing_in_a_flat_image_and_the_others_keep_it():
    sums = {name: kernel.sum() for name, kernel in KERNELS.items()}
    keeping = {"sharpen": 1, "emboss": 1}
    assert sums == {name: keeping.get(name, 0) for name in KERNELS}


@executors
def test_kernels_are_made_of_each_other(executor):
    k = KERNELS
    centre = IMAGE[0, 0, 1:-1, 1:-1]
    turned = IMAGE.swapaxes(2, 3)
    assert (filtered(executor, k["sharpen"]) == centre - filtered(executor, k["laplacian"])).all()
    assert (filtered(executor, k["horizontal-edge-upward"]) == -filtered(executor, k["horizontal-edge"])).all()
    assert (filtered(executor, k["horizontal-edge"]) == filtered(executor, k["vertical-edge"], turned).T).all()
    assert (filtered(executor, k["sobel-y"]) == filtered(executor, k["sobel-x"], turned).T).all()
    smoothed = filtered(executor, [[1], [2], [1]])[None, None]
    assert (filtered(executor, k["sobel-x"]) == filtered(executor, [[-1, 0, 1]], smoothed)).all()


@executors
def test_kernels_described_in_words(executor):
    box = np.full((3, 3), 1 / 9)
    assert GOLDEN["kernels"]["box-blur"] == "1/9 everywhere"
    np.testing.assert_allclose(
        filtered(executor, box), ops.AvgPool2d((3, 3), (1, 1)).reference(IMAGE)[0][0, 0], rtol=1e-5
    )
    assert GOLDEN["kernels"]["gaussian-blur"] == "binomial 1-2-1 by 1-2-1 over 16"
    gauss = np.outer([1, 2, 1], [1, 2, 1]) / 16
    across = filtered(executor, [[1, 2, 1]])[None, None]
    assert (filtered(executor, gauss) == filtered(executor, [[1], [2], [1]], across) / 16).all()
    assert "sum to zero" in GOLDEN["kernels"]["blob"]
    blob = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])
    assert (filtered(executor, blob, np.full((1, 1, 5, 5), 7, "float32")) == 0).all()
