"""Compiling tiles for each kind of vector that this machine has."""

import re

import numpy as np
import pytest
from numba import njit

from pellucid.kernels.host import HOSTS, host
from pellucid.kernels.vector import address, tile

KINDS = [kind for kind in HOSTS.values() if kind.width <= host().width and (kind.name != "neon" or host() is kind)]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
I = np.int64  # noqa: E741 - stands before every literal, as Numba types it


def run(write, kind, source, results):
    """Run a tile (emitter, from, to) on a float32 array and return what it wrote."""
    made = tile(write, kind)

    @njit
    def call(source, target):
        made(address(source, I(0)), address(target, I(0)))

    target = np.full(results, np.nan, np.float32)
    call(np.asarray(source, np.float32), target)
    return target


def inner_loops(function):
    """The loops of one basic block, which jumps back to itself, that multiply and add: lists of instructions."""
    (assembly,) = function.inspect_asm().values()
    parts = re.split(r"^(\.?\w+):.*$", assembly, flags=re.MULTILINE)
    loops = []
    for label, block in zip(parts[1::2], parts[2::2], strict=True):
        lines = [line.strip() for line in block.splitlines()]
        back = [i for i, line in enumerate(lines) if re.match(rf"(j\w+|b\S*|cbn?z)\s.*{re.escape(label)}$", line)]
        if back and any(map(is_fused, lines[: back[0]])):
            loops.append(lines[: back[0]])
    return loops


def is_fused(line):
    """Whether an instruction multiplies and adds in one go."""
    return "fmadd" in line or "fmla" in line
