import pytest

from pellucid import ops, zoo
from pellucid.bench import conv_shapes
from pellucid.bench.conv_shapes import ConvShape
from pellucid.errors import FileError, ParameterError

FULL = "n64 c32 h28 w28 k32 r3 s3 stride1 pad1 group1"


def test_the_notation_is_read():
    assert ConvShape.parse(FULL) == ConvShape(64, 32, 28, 28, 32, 3, 3, pad=1)
    assert ConvShape.parse("n8c96h112w112k96r3s3stride2pad1group96").group == 96
    assert ConvShape.parse("n1 c2 h5 w6 k4 r1 s3").weight == (4, 2, 1, 3)


@pytest.mark.parametrize("text", [FULL, "n1c2h5w6k4r1s3", "n8c96h112w112k96r3s5stride2pad2group96"])
def test_what_is_written_is_read_again(text):
    shape = ConvShape.parse(text)
    assert ConvShape.parse(str(shape)) == shape


@pytest.mark.parametrize(
    "text",
    [
        "", "n1", "n1 c2 h5 w6 k4 r1", f"{FULL} stride2", FULL + " dilation2", "n1 c2 h5 w6 k4 r1 s-1", f"{FULL} 7",
        "n1 c2 h5 w6 k4 r1 s0", "n1 c2 h5 w6 k4 r1 s3 group3", "n1 c2 h2 w6 k4 r3 s3", "N1 c2 h5 w6 k4 r1 s3",
        "n9999999999 c2 h5 w6 k4 r1 s3",
    ],
)  # fmt: skip
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(ParameterError, match=r"of a convolution"):
        ConvShape.parse(text)


def test_a_file_may_have_comments(tmp_path):
    path = tmp_path / "net.txt"
    path.write_text(f"# a network\n\n{FULL}   # conv1\n", encoding="utf-8")
    assert conv_shapes.read(path) == [ConvShape.parse(FULL)]


@pytest.mark.parametrize(
    ("text", "reason"), [(f"{FULL}\nn1 c2\n", "line 2: The shape"), (f"{FULL}\n{FULL}", "each shape once")]
)
def test_a_bad_file_is_named(tmp_path, text, reason):
    path = tmp_path / "net.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=reason):
        conv_shapes.read(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileError, match="nothing"):
        conv_shapes.read(tmp_path / "nothing.txt")


def shapes_of(network, batch):
    """The convolutions of a network of the zoo."""
    graph = zoo.build(network).eval().graph((batch, *zoo.usual_input(network)))
    found = set()
    for node in graph.nodes:
        if isinstance(node.op, ops.Conv2d):
            (x, weight, *_), op = node.types, node.op
            k, _, r, s = weight.shape
            found.add(ConvShape(*x.shape, k, r, s, op.stride[0], op.padding[0][0], op.groups))
    return found


@pytest.mark.parametrize(
    ("file", "network", "batch"),
    [("pooled28", "pooled28", 64), ("vgg16", "vgg16", 8), ("resnet18", "resnet18", 8), ("resnet50", "resnet50", 8),
     ("mobilenet_v2", "mobilenet-v2", 8)],
)  # fmt: skip
def test_the_files_hold_the_layers_of_the_networks(file, network, batch):
    listed = {shape for name, shape in conv_shapes.listed() if name == file}
    if file == "resnet50":  # it shares some with ResNet-18, which are not listed again
        listed |= {shape for name, shape in conv_shapes.listed() if name == "resnet18"} & shapes_of(network, batch)
    assert listed == shapes_of(network, batch)
