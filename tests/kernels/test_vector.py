"""The vector language: what is written is what is computed, compiled and interpreted alike."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pellucid.errors import ParameterError
from pellucid.kernels.compiler import kernel, tile
from pellucid.kernels.host import HOSTS, VARIABLE, host
from pellucid.kernels.interpret import Floats, Longs
from tests.kernels.compiled import both, wrote

W = host().width
RNG = np.random.default_rng(0)
NARROWER = [kind.name for kind in HOSTS.values() if kind.width < W and kind.cpu and host().cpu != "x86-64"]


def test_arithmetic_rounds_as_numpy_does():
    source = RNG.standard_normal((3, W)).astype(np.float32)
    a, b, c = source

    def write(e, x, y):
        a, b, c = (e.load(x, i * W) for i in range(3))
        results = a + b, a - b, a * b, a * 3.0, a / b, (a * a).sqrt(), e.zero(), a + b * c
        for i, result in enumerate(results):
            e.store(result, y, i * W)

    expected = [a + b, a - b, a * b, a * np.float32(3), a / b, np.sqrt(a * a), 0 * abs(a), a + b * c]
    np.testing.assert_array_equal(wrote("test_arithmetic", write, source.ravel(), 8 * W).reshape(8, W), expected)


def test_fma_rounds_once_where_the_machine_does():
    source = RNG.standard_normal((3, W)).astype(np.float32)
    a, b, c = source.astype(np.float64)

    def write(e, x, y):
        a, b, c = (e.load(x, i * W) for i in range(3))
        e.store(a.fma(b, c), y, 0)
        e.store(a.fma(0.5, c), y, W)

    kernel_ = tile(write)

    @kernel("test_fma")
    def body(part: int, scratch: Floats, x: Floats, y: Floats) -> None:
        kernel_(x, y)

    compiled, interpreted = (way[1].reshape(2, W) for way in both(body, source.ravel(), np.zeros(2 * W, np.float32)))
    once = np.array([a * b + c, a * 0.5 + c]).astype(np.float32)
    np.testing.assert_array_equal(interpreted, once)
    if host().fused:
        np.testing.assert_array_equal(compiled, once)
    else:
        np.testing.assert_allclose(compiled, once, rtol=0, atol=1e-6)


def test_bounds_and_choices_keep_nan():
    specials = [np.nan, np.inf, -np.inf, -0.0, 0.5, -0.5, 2.0, -2.0]
    source = np.resize(np.array(specials, np.float32), 8 * W)

    def write(e, x, y):
        one, other = e.lift(1.0), e.lift(-1.0)
        for i in range(8):
            value = e.load(x, i * W)
            results = value.at_least(0.0), value.at_most(1.0), value.where_above(e.zero(), one, other)
            for j, result in enumerate(results):
                e.store(result, y, (j * 8 + i) * W)

    low, high, chosen = wrote("test_bounds", write, source, 24 * W).reshape(3, -1)
    np.testing.assert_array_equal(low, np.maximum(source, 0))
    np.testing.assert_array_equal(high, np.minimum(source, 1))
    np.testing.assert_array_equal(chosen, np.where(source <= 0, -1, 1))


def test_a_splat_fills_a_vector_and_offsets_need_no_alignment():
    source = np.arange(W + 5, dtype=np.float32)

    def write(e, x, y):
        e.store(e.splat(x, 3), y, 0)
        e.store(e.load(x, 5), y + 1, W - 1)

    result = wrote("test_splat", write, source, 2 * W)
    assert (result[:W] == 3).all()
    assert (result[W:] == source[5:]).all()


@pytest.fixture(scope="module")
def copy_some():
    move = tile(lambda e, x, y, valid: e.store(e.load(x, 0, valid) + e.lift(1.0), y, 0, valid))
    fill = tile(lambda e, x, y, valid: e.store(e.load(x, 0, valid), y, 0))

    @kernel("test_copy_some")
    def body(part: int, scratch: Floats, x: Floats, some: Floats, all_: Floats, valid: int) -> None:
        move(x, some, valid)
        fill(x, all_, valid)

    return body


@pytest.mark.parametrize("valid", [-1, 0, 1, W // 2 + 1, W, W + 3])
def test_parts_of_vectors(copy_some, valid):
    count = min(max(valid, 0), W)
    x, y = np.arange(1, count + 1, dtype=np.float32), np.full(count, np.nan, np.float32)
    for _, some, whole in both(copy_some, np.resize(x, W), np.resize(y, W), np.full(W, np.nan, np.float32), valid):
        np.testing.assert_array_equal(some[:count], x + 1)
        np.testing.assert_array_equal(whole, [*x, *[0] * (W - count)])


@pytest.fixture(scope="module")
def fold():
    def write(e, x, y, count):
        def step(i, state):
            total, product = state
            value = e.load(x, i * W)
            return [total + value, product * value]

        total, product = e.loop(count, [e.zero(), e.lift(1.0)], step)
        e.store(total, y, 0)
        e.store(product, y, W)

    made = tile(write)

    @kernel("test_fold")
    def body(part: int, scratch: Floats, x: Floats, y: Floats, count: int) -> None:
        made(x, y, count)

    return body


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_a_loop_keeps_its_state(fold, count):
    source = RNG.integers(1, 4, (max(count, 1), W)).astype(np.float32)
    for _, result in both(fold, source, np.zeros(2 * W, np.float32), count):
        np.testing.assert_array_equal(result[:W], source[:count].sum(axis=0))
        np.testing.assert_array_equal(result[W:], source[:count].prod(axis=0))


@pytest.mark.parametrize("wanted", [0, 1, -5])
def test_a_condition_and_a_table(wanted):
    def write(e, table, x, y, condition):
        value = e.load(x, e.index(table, 1))
        (value,) = e.when(condition, [value], lambda: [value * 2.0])
        e.store(value, y, 0)

    made = tile(write)

    @kernel("test_when")
    def body(part: int, scratch: Floats, table: Longs, x: Floats, y: Floats, condition: int) -> None:
        made(table, x, y, condition)

    x = np.arange(W + 2, dtype=np.float32)
    for *_, y in both(body, np.array([9, 2]), x, np.zeros(W, np.float32), wanted):
        np.testing.assert_array_equal(y, x[2:] * (2 if wanted else 1))


@pytest.mark.skipif(bool(os.environ.get(VARIABLE)), reason="other vectors were asked for")
def test_the_machines_vectors_are_the_widest_it_has():
    """NumPy has found out for itself what this processor can do."""
    has = np._core._multiarray_umath.__cpu_features__
    name = "avx512" if has.get("AVX512F") else "avx2" if has.get("AVX2") else "neon" if has.get("NEON") else "sse"
    assert host() is HOSTS[name]


@pytest.mark.parametrize("name", NARROWER)
def test_the_language_and_the_tiles_with_narrower_vectors(name):
    """Run these tests again: no wider instruction may be needed, and none is used."""
    here = Path(__file__).parent
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-n",
        "0",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        "not narrower and not winograd2",
    ]
    done = subprocess.run(
        [*command, str(here / "test_vector.py"), str(here / "test_tiles.py")],
        env={**os.environ, VARIABLE: name}, cwd=here.parents[1], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", ["mmx", "AVX2", "avx512 "])
def test_unknown_vectors_are_refused(monkeypatch, name):
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(ParameterError, match=r"The variable PELLUCID_VECTOR must be one of .* on this machine; got"):
        host.__wrapped__()
