"""Operations read from damaged files: either a valid operation comes out, or a FileError that says why."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid import ops
from pellucid.errors import FileError
from tests.mutations import damaged, junk
from tests.ops.examples import EXAMPLES

RECORDS = [json.loads(json.dumps(example.op.as_dict())) for example in EXAMPLES]


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, len(RECORDS) - 1).flatmap(lambda index: damaged(RECORDS[index])))
def test_only_file_errors_come_of_damaged_records(record):
    try:
        op = ops.op_from_dict(record)
    except FileError:
        return
    assert ops.op_from_dict(json.loads(json.dumps(op.as_dict()))) == op
    assert isinstance(hash(op), int)


@given(junk)
def test_what_is_no_record_is_refused(value):
    if isinstance(value, dict) and "kind" in value:
        return
    with pytest.raises(FileError, match="must be an object with a 'kind'"):
        ops.op_from_dict(value)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"kind": "Conv3d"}, "kind 'Conv3d' is unknown; was the file written by a newer version"),
        ({"kind": "_Activation"}, "unknown"),
        ({"kind": "ReLU", "inplace": True}, "ReLU has no attribute 'inplace'"),
        ({"kind": "Softmax"}, "Softmax cannot be rebuilt.*axis"),
        ({"kind": "Softmax", "axis": "1"}, "'axis' parameter of Softmax must be an integer of at least 0; got '1'"),
        ({"kind": "Backward", "of": {"kind": "ReLU"}}, "Backward lacks or breaks an attribute: 'types'"),
        ({"kind": "Backward", "of": {"kind": "Add"}, "wrt": ["a"], "types": []}, "Add has no Backward"),
        ({"kind": "Backward", "of": {"kind": "ReLU"}, "wrt": ["y"], "types": []}, "arguments with a gradient"),
    ],
)
def test_the_reason_is_told(record, message):
    with pytest.raises(FileError, match=message):
        ops.op_from_dict(record)
