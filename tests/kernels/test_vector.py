"""The vector language: what is written is what is computed."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from llvmlite import ir

from pellucid.errors import ParameterError
from pellucid.kernels.host import HOSTS, VARIABLE, host
from pellucid.kernels.vector import Int, tile

from .compiled import KINDS, every_kind, run

RNG = np.random.default_rng(0)


@every_kind
def test_arithmetic(kind):
    w = kind.width
    source = RNG.standard_normal(3 * w).astype(np.float32)
    a, b, c = source.reshape(3, w)

    def write(e, x, y):
        a, b, c = (e.load(x, i * w) for i in range(3))
        for i, result in enumerate((a + b, a - b, a * b, a * 3.0, a.fma(b, c), a.fma(0.5, c), a.relu(), e.zero())):
            e.store(result, y, i * w)

    exact = [a + b, a - b, a * b, a * np.float32(3), None, None, np.maximum(a, 0), 0 * a]
    for result, expected in zip(run(write, kind, source, 8 * w).reshape(8, w), exact, strict=True):
        if expected is not None:
            assert (result == expected).all()
    fused = run(write, kind, source, 8 * w).reshape(8, w)[4:6]
    exactly = np.array([a.astype(float) * b + c, a.astype(float) * 0.5 + c])
    bound = 0.5 * np.spacing(abs(exactly).astype(np.float32)) if kind.fused else 2e-7 * (abs(a * b) + abs(c) + 1)
    assert (abs(fused - exactly) <= bound).all()  # one rounding where the machine fuses


@every_kind
def test_a_splat_fills_a_vector_and_offsets_need_no_alignment(kind):
    w = kind.width
    source = np.arange(w + 5, dtype=np.float32)

    def write(e, x, y):
        e.store(e.splat(x, 3), y, 0)
        e.store(e.load(x, 5), y, w)

    result = run(write, kind, source, 2 * w)
    assert (result[:w] == 3).all()
    assert (result[w:] == source[5:]).all()


@every_kind
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_a_loop_keeps_its_state(kind, count):
    w = kind.width

    def write(e, x, y):
        def step(i, state):
            total, product = state
            value = e.load(x, i * w)
            return [total + value, product * value]

        total, product = e.loop(Int(e, ir.IntType(64)(count)), [e.zero(), e.lift(1.0)], step)
        e.store(total, y, 0)
        e.store(product, y, w)

    source = RNG.integers(1, 4, max(count, 1) * w).astype(np.float32)
    used = source[: count * w].reshape(count, w)
    result = run(write, kind, source, 2 * w)
    assert (result[:w] == used.sum(axis=0)).all()
    assert (result[w:] == used.prod(axis=0)).all()


@every_kind
def test_nan_and_infinity_pass_through(kind):
    w = kind.width
    source = np.resize(np.array([np.nan, np.inf, -np.inf, -0.0], np.float32), w)

    def write(e, x, y):
        e.store(e.load(x, 0).relu(), y, 0)

    np.testing.assert_array_equal(run(write, kind, source, w), np.maximum(source, 0))


def test_a_tile_keeps_its_name_and_number_of_arguments():
    def scale(e, x, y):
        e.store(e.load(x, 0) * 2.0, y, 0)

    assert tile(scale).__name__ == "scale"


def test_the_machines_vectors_are_the_widest_it_has():
    assert host() in KINDS
    assert max(kind.width for kind in KINDS) == host().width


@pytest.mark.parametrize("name", ["sse", "avx2"])
def test_narrower_vectors_can_be_asked_for(name):
    if HOSTS[name] not in KINDS:
        pytest.skip(f"this machine has no {name}")
    code = "from pellucid.kernels.host import host; print(host().name)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, VARIABLE: name}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == name


@pytest.mark.skipif(HOSTS["sse"] not in KINDS, reason="this machine has no sse")
def test_the_fallback_uses_no_wider_instructions():
    code = """
import numpy as np
from numba import njit
from pellucid.kernels.tiles import gemm_shape, gemm_tile
from pellucid.kernels.vector import address
made, one = gemm_tile(*gemm_shape()), np.int64(1)

@njit
def call(a, b, c):
    made(address(a, one), one, one, address(b, one), address(c, one), one, one)
    return a.sum()

call(*np.ones((3, 999), np.float32))
print(*call.inspect_asm().values())
"""
    environment = {**os.environ, VARIABLE: "sse"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "mulps" in done.stdout
    assert not {"ymm", "zmm", "vfmadd"} & set(re.findall(r"[yz]mm|vfmadd", done.stdout))


def test_vectors_that_do_not_exist_are_refused(monkeypatch):
    monkeypatch.setenv(VARIABLE, "avx1024")
    host.cache_clear()
    with pytest.raises(ParameterError, match=f"{VARIABLE} must be one of .*sse.*; got 'avx1024'"):
        host()
    monkeypatch.undo()
    host.cache_clear()
