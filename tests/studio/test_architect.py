import json
from pathlib import Path

import pytest

import pellucid as pel
from pellucid import zoo
from pellucid.analysis.summary import summary
from pellucid.errors import PellucidError
from pellucid.nn.random import skip_init
from pellucid.studio.answers import answer
from pellucid.studio.studio import Studio

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "worked_examples.json").read_text("utf-8"))["networks"]
LENET = "3x32x32to10-conv6.k5-relu-pool-conv16.k5-relu-pool-flatten-linear120-relu-linear84-relu-linear"


@pytest.fixture
def ask(tmp_path):
    studio = Studio(tmp_path)
    yield lambda name, **asked: answer(f"architect.{name}", asked, studio)
    studio.close()


def same_as_summary(account, net, shape):
    found = summary(net, shape)
    rows = [row for block in account.blocks for row in block.rows]
    for row, layer in zip(rows, found.layers, strict=True):
        assert (row.name, row.op, tuple(row.output)) == (layer.name, layer.op, layer.output)
        assert (row.parameters, row.macs, row.bytes) == (layer.parameters, layer.macs, layer.activation_bytes)
        size = layer.field.size if layer.field else None
        assert tuple(row.field) == tuple(map(float, size or ()))
    assert (account.parameters, account.macs, account.buffers) == (found.parameters, found.macs, found.buffers)
    assert account.training_bytes == found.memory.training
    assert [(share.op, (share.parameters, share.macs)) for share in account.shares] == list(found.kinds().items())
    texts = [text for block in account.blocks for text in block.remarks]
    assert sorted(texts) == sorted(found.warnings)


@pytest.mark.parametrize("name", ["lenet5-rgb", "pooled28", "pooled28-double", "funnel", "resnet18", "mobilenet-v2"])
def test_a_design_counts_as_summary_does(ask, name):
    networks = {network.name: network for network in ask("networks").networks}
    account = ask("account", design=networks[name].design)
    same_as_summary(account, zoo.build(networks[name].design), zoo.usual_input(name))
    assert account.design == networks[name].design
    assert account.trainable


@pytest.mark.parametrize("name", ["googlenet", "pooled28-p4", "vit-patches"])
def test_a_graph_of_the_zoo_is_shown_as_it_is(ask, name):
    account = ask("account", design=name)
    with skip_init():
        same_as_summary(account, zoo.build(name), zoo.usual_input(name))
    assert account.name == name
    assert account.design == ""
    assert account.torch == ""
    namespace = {}
    exec(account.pellucid, namespace)
    assert namespace["net"].metadata["name"] == name


def test_the_worked_examples_number_by_number(ask):
    expected = next(network for network in GOLDEN if network["name"] == "lenet5-rgb")
    account = ask("account", design=LENET)
    blocks = {block.name: [block.name, block.output, block.parameters] for block in account.blocks}
    assert [blocks[row[0]] for row in expected["rows"]] == expected["rows"]
    shares = {share.op: share.parameters for share in account.shares}
    assert shares == {"Linear": expected["linear_parameters"], "Conv2d": expected["conv_parameters"]}
    assert account.averaged.parameters == 2_872 + 170


def test_the_zoo_is_listed_with_all_its_counts(ask):
    networks = ask("networks").networks
    assert [network.name for network in networks] == zoo.names()
    for network in networks:
        assert zoo.published_parameters(network.name) in (0, network.parameters)
    assert {network.name for network in networks if network.design} >= {"tiny", "vgg16", "resnet50", "mobilenet-v1"}


def test_a_block_that_does_not_fit_leaves_the_others_counted(ask):
    account = ask("account", design=LENET.replace("-flatten", ""))
    errors = {block.name: block.error for block in account.blocks if block.error}
    assert list(errors) == ["fc1", "fc2", "fc3"]
    assert "put a flattening before it" in errors["fc1"]
    assert account.parameters == 2_872
    assert not account.trainable
    assert not any(block.rows for block in account.blocks if block.error)


def test_an_empty_design_has_an_account(ask):
    account = ask("account", design="1x28x28to10")
    assert (account.blocks, account.parameters, account.stages, account.trainable) == ([], 0, [], False)


def test_the_funnel_is_that_of_the_worked_examples(ask):
    expected = next(network for network in GOLDEN if network["name"] == "funnel")["stages"]
    stages = ask("account", design=ask_design(ask, "funnel")).stages
    sizes = [[stage.channels, *stage.plane] for stage in stages if stage.plane]
    assert [size for size in expected if size in sizes] == expected


def ask_design(ask, name):
    return next(network.design for network in ask("networks").networks if network.name == name)


def test_kinds_say_their_ranges_and_the_page_can_write_blocks_from_them(ask):
    kinds = {kind.word: kind for kind in ask("kinds").kinds}
    conv = {setting.name: setting for setting in kinds["conv"].settings}
    assert (conv["kernel_size"].letter, conv["kernel_size"].usual, conv["kernel_size"].most) == ("k", 3, 31)
    assert kinds["linear"].fits_classes
    for kind in kinds.values():  # a text with every setting written out is read, and told in its shortest form
        text = kind.word + "".join(
            str(setting.usual or "") if not setting.letter else f".{setting.letter}{setting.usual}"
            for setting in kind.settings
        )
        (block,) = ask("account", design=f"8x32x32to10-{text}").blocks
        assert block.text == kind.word


def test_what_is_no_design_is_refused(ask):
    for design, message in (("resnet", "nearest"), ("1x8x8to2-konv", "no block 'konv'"), ("x" * 4001, "4000")):
        with pytest.raises(PellucidError, match=message):
            ask("account", design=design)


def test_a_design_trains(ask):
    account = ask("account", design="1x6x6to2-conv2-relu-flatten-linear")
    images = pel.datasets.load("fashion-mnist-mini")[0].images[:8, :, :6, :6].astype("float32")
    history = pel.fit(zoo.build(account.design), (images, [0, 1] * 4), epochs=1, batch_size=4, progress=False)
    assert len(history) == 1
