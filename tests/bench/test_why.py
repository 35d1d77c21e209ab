import pytest

from pellucid.bench.why import explain, kernels
from pellucid.bench.works import find
from pellucid.errors import ParameterError


def test_every_operation_has_its_kernel():
    rows = {row.name: row for row in explain("tiny")}
    assert {"pool1", "pool2", "fc", "d.conv2.weight.bias", "d.fc.x"} <= set(rows)  # others may be fused
    assert rows["fc"].op == "Linear()"
    assert any("Conv2d(" in row.op for row in rows.values())
    assert all(row.kernel for row in rows.values())


def test_reasons_of_those_that_reject_are_told():
    reasons = [reason for row in explain("tiny") for _, reason in row.rejected]
    assert reasons
    assert all(reasons)


def test_a_batch_may_be_named():
    assert [row.name for row in explain("tiny/b2")] == [row.name for row in explain("tiny")]


@pytest.mark.parametrize("target", ["nonsense", "tiny/2", "tiny/b0", "tiny/b2/b2"])
def test_what_is_no_network_is_refused(target):
    with pytest.raises(ParameterError):
        explain(target)


def test_the_kernels_of_a_graph_are_listed():
    assert kernels(find("infer/tiny/b1").task().graph)
