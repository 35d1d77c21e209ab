import os
import pickle
import pickletools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data import pickled
from pellucid.errors import DataError

from .writers import outcome, python2_batch

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 3, 32, 32), dtype=np.uint8)
BATCH = python2_batch(IMAGES, np.arange(5))


def test_the_writer_writes_what_pickle_reads() -> None:
    theirs = pickle.loads(BATCH, encoding="bytes")
    assert np.array_equal(theirs[b"data"], IMAGES.reshape(5, -1))
    assert theirs[b"labels"] == [0, 1, 2, 3, 4]


def test_a_python_2_batch() -> None:
    batch = pickled.read(BATCH)
    assert np.array_equal(batch["data"], IMAGES.reshape(5, -1))
    assert batch["data"].dtype == np.uint8
    assert batch["labels"] == [0, 1, 2, 3, 4]
    assert batch["batch_label"] == "training batch 1 of 5"


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_python_3(protocol: int, order: Any) -> None:
    array = np.asarray(IMAGES.reshape(5, -1), order=order)
    batch = pickled.read(pickle.dumps({b"data": array, b"labels": [3, 1]}, protocol=protocol))
    assert np.array_equal(batch[b"data"], array)
    assert batch[b"labels"] == [3, 1]


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.binary() | st.integers(), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(value=plain, protocol=st.sampled_from([3, 4]))
def test_plain_data_is_read_as_pickle_reads_it(value: Any, protocol: int) -> None:
    assert pickled.read(pickle.dumps(value, protocol=protocol)) == value


class Malicious:
    """When unpickled, makes a folder."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_malicious_pickle_is_not_carried_out(tmp_path: Path, protocol: int) -> None:
    target = tmp_path / "owned"
    data = pickle.dumps({"data": Malicious(target), "labels": [1]}, protocol=protocol)
    with pytest.raises(DataError, match="A pickle must hold plain data only; got"):
        pickled.read(data)
    assert not target.exists()
    pickle.loads(data)
    assert target.exists(), "the pickle is harmless, so that the test above shows nothing"


@pytest.mark.parametrize(
    "data",
    [
        b"cbuiltins\neval\n(U\x011tR.",  # GLOBAL
        b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93.",  # STACK_GLOBAL
        b"(ios\nsystem\n.",  # INST
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x02Uabc.",
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\nK\x00\x85U\x01btR.",  # _reconstruct(dtype, …)
        b"cnumpy\ndtype\n(U\x02O8K\x00K\x01tR.",  # an array of objects
        b"cnumpy\nndarray\n(tR.",
        b"cnumpy\nload\n.",
        b"cnumpy\n\\umerals\n.",  # a broken escape, of which Python would warn
        b"Pid\n.",  # PERSID
        b"\x80\x05\x97.",  # NEXT_BUFFER
        b"K\x01K\x02b.",  # BUILD on a number
        b"K\x01K\x02a.",  # APPEND to a number
        b"}]K\x01s.",  # a list as a key
        b"h\x05.",  # a memo never put
        b"t.",
        b".",
        b"",
        b"K\x01",
    ],
)
def test_other_programs_are_refused(data: bytes) -> None:
    with pytest.raises(DataError, match="pickle must"):
        pickled.read(data)


def test_an_array_cannot_take_more_than_the_pickle_holds() -> None:
    raw = b"B" + (1000).to_bytes(4, "little") + bytes(1000) + b"q\x00"  # BINBYTES, BINPUT 0
    dtype = b"cnumpy\ndtype\nU\x02u1\x85Rq\x010"  # remembered as 1, then POP
    make = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n\x85R(K\x01M\xe8\x03\x85h\x01\x89h\x00tb"
    one = b"]" + raw + b"a" + dtype.replace(b"0", b"") + b"a" + make + b"a."
    assert len(list(pickletools.genops(one))) > 10
    assert isinstance(pickled.read(one), list)
    many = one[:-1] + (make + b"a") * 100 + b"."
    with pytest.raises(DataError, match="an array must have as many bytes as its shape says"):
        pickled.read(many)


def test_deep_nesting_neither_crashes_nor_hangs() -> None:
    deep = b"]" + b")" + b"\x85" * 200_000 + b"a."
    assert isinstance(pickled.read(deep), list)
    with pytest.raises(DataError, match="only texts and numbers can be keys"):
        pickled.read(b"})" + b"\x85" * 200_000 + b"K\x01s.")
    assert isinstance(pickled.read(b"](" + b"(t" * 200_000 + b"e."), list)


SMALL = python2_batch(IMAGES[:1, :, :2, :2], np.arange(1))


@settings(max_examples=500, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4),
    cut=st.integers(0, 100),
)
def test_mutated_pickles_bring_out_nothing_but_data_errors(changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(SMALL)
    for place, value in changes:
        data[place % len(data)] = value
    result = outcome(pickled.read, bytes(data[: len(data) - cut]))
    assert not callable(result)
    assert not isinstance(result, Exception) or "pickle must" in str(result)
