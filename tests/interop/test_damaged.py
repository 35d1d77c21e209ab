"""Damaged and hostile model files: refused with a reason, whatever the damage."""

import copy
import json
import pickle
import resource
import struct

import numpy as np
import pytest

import pellucid as pel
from pellucid import nn
from pellucid.errors import FileError


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "good.safetensors"
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3))
    pel.save(net, path, {"input": (1, 6, 6), "classes": ["a", "b", "c"]})
    return path.read_bytes()


def split(data):
    length = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def join(header, body):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def mutated(data, rng):
    """Damage bytes: flip, cut, repeat, insert, or overwrite, mostly in the header, where structure is."""
    array = bytearray(data)
    header = struct.unpack("<Q", data[:8])[0] + 8
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(0, header if rng.random() < 0.9 else len(array)))
        kind = rng.integers(5)
        if kind == 0:
            array[at % len(array)] ^= 1 << int(rng.integers(8))
        elif kind == 1:
            stop = len(array) if rng.random() < 0.3 else at + int(rng.integers(1, 30))
            del array[at:stop]
        elif kind == 2:
            array[at:at] = array[at : at + int(rng.integers(1, 60))]
        elif kind == 3:
            array[at:at] = rng.bytes(int(rng.integers(1, 9)))
        else:
            array[at : at + 1] = rng.choice([b"9", b"-", b'"', b"0", b"null", b"[", b"{", b"1e9", b"\xff"])
        array = array or bytearray(b"x")
    return bytes(array)


def mutated_json(data, rng):
    """Damage the record inside the header, so that the file itself stays valid safetensors."""
    header, body = split(data)
    record = json.loads(header["__metadata__"]["pellucid"])
    junk = [None, -1, 0, 2**70, 1e308, "x", [], {}, True, [[1]], "0", float("nan"), record["graph"]["nodes"][0]]
    for _ in range(rng.integers(1, 3)):
        owner, key = pick(record, rng)
        owner[key] = copy.deepcopy(junk[rng.integers(len(junk))])
    header["__metadata__"]["pellucid"] = json.dumps(record)
    return join(header, body)


def pick(value, rng):
    """Choose a place somewhere in nested JSON."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = keys[rng.integers(len(keys))]
        child = value[key]
        if not isinstance(child, dict | list) or not child or rng.random() < 0.1:
            return value, key
        value = child


@pytest.mark.parametrize("block", range(8))
def test_two_thousand_mutations_give_only_documented_errors(good, tmp_path, block):
    rng = np.random.default_rng(block)
    path = tmp_path / "m.safetensors"
    images = np.zeros((1, 1, 6, 6), np.float32)
    refused = unnamed = 0
    for number in range(250):
        path.write_bytes((mutated if number % 2 else mutated_json)(good, rng))
        try:
            net = pel.load(path)
        except FileError as error:
            refused += 1
            unnamed += str(path) not in str(error)
            continue
        try:  # damage may leave a valid file: then it must work, or say why not
            with np.errstate(all="ignore"):
                net(images)
        except pel.PellucidError:
            continue
    assert refused > 150
    assert not unnamed


def test_damage_costs_no_memory(good, tmp_path):
    """A header that promises terabytes is refused before anything is allocated."""
    header, body = split(good)
    record = json.loads(header["__metadata__"]["pellucid"])
    record["graph"]["parameters"][0]["shape"] = [2**20, 2**20]
    header["0.weight"]["shape"] = [2**20, 2**20]
    header["__metadata__"]["pellucid"] = json.dumps(record)
    path = tmp_path / "huge.safetensors"
    path.write_bytes(join(header, body))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(FileError):
        pel.load(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a readable safetensors file"),
        (b"x" * 100, "not a readable safetensors file"),
        (pickle.dumps({"weights": [1, 2, 3]}), "not a readable safetensors file"),
        (struct.pack("<Q", 2**62) + b"{}", "not a readable safetensors file"),
        (join({}, b""), "not one that Pellucid wrote"),
        (join({"__metadata__": {"format": "pt"}}, b""), "not one that Pellucid wrote"),
        (join({"__metadata__": {"pellucid": "{"}}, b""), "record of .* is damaged"),
        (join({"__metadata__": {"pellucid": "[" * 100_000}}, b""), "record of .* is damaged"),
        (join({"__metadata__": {"pellucid": '{"kind": "checkpoint"}'}}, b""), "holds a 'checkpoint', not a model"),
    ],
)
def test_foreign_files_are_refused_with_the_reason(tmp_path, data, message):
    path = tmp_path / "foreign"
    path.write_bytes(data)
    with pytest.raises(FileError, match=message):
        pel.load(path)


def test_a_missing_file_and_a_folder(tmp_path):
    with pytest.raises(FileError, match="There is no model file"):
        pel.load(tmp_path / "none")
    with pytest.raises(FileError, match="There is no model file"):
        pel.load(tmp_path)


def edited(good, change):
    header, body = split(good)
    record = json.loads(header["__metadata__"]["pellucid"])
    change(record)
    header["__metadata__"]["pellucid"] = json.dumps(record)
    return join(header, body)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r["graph"].update(format=99), "format 99; this version reads format 1"),
        (lambda r: r["graph"]["nodes"][0]["op"].update(kind="Exec"), "kind 'Exec' is unknown"),
        (lambda r: r["graph"]["nodes"][0]["op"].update(stride=[0, 1]), "'stride' parameter of Conv2d"),
        (lambda r: r["graph"]["nodes"][0]["op"].update(hack=1), "no attribute 'hack'"),
        (lambda r: r["graph"]["nodes"][0].update(inputs=["4", "0.weight", "0.bias"]), "there is no '4'"),
        (lambda r: r["graph"]["parameters"][0].update(dtype="float64"), "needs a weight of 4 axes"),
        (lambda r: r.update(metadata=[]), "metadata are list"),
        (lambda r: r["graph"].update(outputs={}), "no outputs"),
    ],
)
def test_a_record_that_does_not_hold_together(good, tmp_path, change, message):
    path = tmp_path / "edited"
    path.write_bytes(edited(good, change))
    with pytest.raises(FileError, match=message):
        pel.load(path)


def test_an_array_of_another_shape_than_the_graphs(good, tmp_path):
    header, body = split(good)
    header["0.weight"]["shape"] = [1, 2, 3, 3]
    path = tmp_path / "reshaped"
    path.write_bytes(join(header, body))
    with pytest.raises(FileError, match=r"its array '0\.weight' is float32\(1, 2, 3, 3\); its graph says"):
        pel.load(path)
