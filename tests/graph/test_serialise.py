import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import ops
from pellucid.errors import FileError
from pellucid.graph import EXECUTORS, Graph, Plan, from_dict, to_dict
from pellucid.types import TensorType
from tests.comparison import assert_matches
from tests.graph.networks import batch_norm, branching, feeds, training
from tests.mutations import damaged, junk


def constants():
    """A graph with constants, whose arrays are kept apart."""
    graph = Graph()
    x = graph.input("x", TensorType((2, 3), "float64"))
    graph.outputs = {"a": x * 2 + np.arange(3.0), "b": x.mean(1, keepdim=True)}
    graph.layers = {"scale": graph.outputs["a"]}
    return graph


GRAPHS = {"branching": branching, "training": training, "batch_norm": batch_norm, "constants": constants}


def through_json(graph):
    return json.loads(json.dumps(to_dict(graph), allow_nan=False))


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_survives_json(name):
    graph = GRAPHS[name]()
    again = from_dict(through_json(graph), graph.constants)
    assert str(again) == str(graph)
    assert to_dict(again) == to_dict(graph)
    for kind in ("inputs", "parameters", "buffers", "outputs", "updates", "layers"):
        assert {n: repr(v) for n, v in getattr(again, kind).items()} == {
            n: repr(v) for n, v in getattr(graph, kind).items()
        }
    arrays = feeds(graph)
    for executor in EXECUTORS:
        expected, found = Plan(graph, executor).run(arrays), Plan(again, executor).run(arrays)
        for key, array in expected.items():
            assert_matches(found[key], array, kernel=key)


RECORDS = {name: (through_json(make()), make().constants) for name, make in GRAPHS.items()}


def try_to_read(record, arrays):
    """Read a record; what can be read must be whole: it can be planned, printed and written again."""
    try:
        graph = from_dict(record, arrays)
    except FileError as error:
        return str(error)
    for executor in EXECUTORS:
        Plan(graph, executor)
    assert str(graph).startswith("graph(")
    assert to_dict(from_dict(through_json(graph), arrays)) == to_dict(graph)
    return ""


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_only_file_errors_come_of_damaged_records(name, data):
    record, arrays = RECORDS[name]
    try_to_read(data.draw(damaged(record)), arrays)


@given(junk)
def test_what_is_no_graph_at_all_is_refused(value):
    with pytest.raises(FileError, match="graph"):
        from_dict(value)


def changed(change):
    record = copy.deepcopy(RECORDS["branching"][0])
    change(record)
    return record


def node(record, name):
    return next(entry for entry in record["nodes"] if entry["name"] == name)


def rename(record, old, new):
    """Rename a node and all that refers to it."""
    node(record, old)["name"] = new
    for entry in record["nodes"]:
        entry["inputs"] = [new if name == old else name for name in entry["inputs"]]


DEEP = {"kind": "ReLU"}
for _ in range(100_000):
    DEEP = {"kind": "Backward", "of": DEEP, "wrt": ["x"], "types": []}

DAMAGE = {
    "another format": (lambda r: r.update(format=2), "format 2; this version reads format 1"),
    "an unknown value": (lambda r: node(r, "fc").update(inputs=["nothing", "fc.weight", None]), "no 'nothing'"),
    "a value before its time": (lambda r: node(r, "conv").update(inputs=["fc", "conv.weight", None]), "no 'fc'"),
    "a name twice": (lambda r: node(r, "act").update(name="conv"), "two values are named 'conv'"),
    "a result's name taken": (lambda r: rename(r, "act", "pool:indices"), "already has a value named 'pool:indices'"),
    "no outputs": (lambda r: r.update(outputs={}), "no outputs"),
    "a nameless node": (lambda r: node(r, "act").update(name=""), "must be text; got ''"),
    "a shape that does not fit": (lambda r: r["parameters"][0].update(shape=[3, 4, 3, 3]), "Conv2d 'conv' needs 4"),
    "a negative size": (lambda r: r["inputs"][0].update(shape=[2, -3, 6, 6]), "sizes from 0 up"),
    "a fractional size": (lambda r: r["inputs"][0].update(shape=[2, 3.0, 6, 6]), "sizes from 0 up"),
    "too many axes": (lambda r: r["inputs"][0].update(shape=[1] * 9), "at most 8 sizes"),
    "Python objects": (lambda r: r["inputs"][0].update(dtype="object"), "name of a numeric one; got 'object'"),
    "a structured dtype": (lambda r: r["inputs"][0].update(dtype="f4,f4"), "name of a numeric one"),
    "an unknown kind": (lambda r: node(r, "act").update(op={"kind": "Magic"}), "kind 'Magic' is unknown"),
    "a missing input": (lambda r: node(r, "fc").update(inputs=["flatten", None, None]), "needs its input 'weight'"),
    "an input too few": (lambda r: node(r, "fc").update(inputs=["flatten"]), "needs 3 inputs"),
    "a missing key": (lambda r: r.pop("nodes"), "no 'nodes'"),
    "a constant without its array": (lambda r: r.update(constants=["half"]), "no 'half'"),
    "a result beyond all memory": (
        lambda r: node(r, "conv").update(op={"kind": "Conv2d", "padding": [[10**6, 10**6], [10**6, 10**6]]}),
        "'conv' would be .*, which is too large",
    ),
    "endless nesting": (lambda r: node(r, "act").update(op=DEEP), "recursion"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_the_reason_is_told(name):
    change, message = DAMAGE[name]
    with pytest.raises(FileError, match=message):
        from_dict(changed(change))


def test_too_many_nodes_are_not_even_looked_at():
    with pytest.raises(FileError, match="has 100001 nodes; at most 100000 are read"):
        from_dict({"format": 1, "nodes": [None] * 100_001})


def test_a_gradient_cannot_claim_types_that_its_inputs_do_not_have():
    record, arrays = copy.deepcopy(RECORDS["training"])
    entry = node(record, "d.fc.x")
    entry["op"]["types"][0] = [[2, 80], "float64"]
    with pytest.raises(FileError, match="needs 81 features"):
        from_dict(record, arrays)
    entry["op"]["types"][0] = [[3, 81], "float64"]
    with pytest.raises(FileError, match=r"needs its input 'dy' to be float64\(3, 4\), got float64\(2, 4\)"):
        from_dict(record, arrays)


def test_batches_of_other_sizes_follow_from_the_inputs_alone():
    """Only the inputs' shapes are stored, so a file can be read for another batch size."""
    record = copy.deepcopy(RECORDS["branching"][0])
    record["inputs"][0]["shape"][0] = record["inputs"][1]["shape"][0] = 5
    assert from_dict(record).outputs["logits"].shape == (5, 4)


def test_operations_of_every_kind_can_be_named():
    assert {entry["op"]["kind"] for record, _ in RECORDS.values() for entry in record["nodes"]} <= set(ops.Op.kinds)
