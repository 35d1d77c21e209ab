"""The vectors of this machine: how wide, how many, and whether they multiply and add in one go."""

import os
from dataclasses import dataclass
from functools import cache

from pellucid.errors import ParameterError
from pellucid.types import Pair

VARIABLE = "PELLUCID_VECTOR"
"""Environment variable that names narrower vectors than the machine has, so that the fallback can be tested."""


@dataclass(frozen=True)
class Host:
    """A kind of vector: floats in one, registers of them, and whether there is a fused multiply-add.

    ``cpu`` is what LLVM calls the plainest processor that has it, "" the one at hand.
    """

    name: str
    width: int
    registers: int
    fused: bool
    cpu: str = ""

    @property
    def tile(self) -> Pair:
        """(rows, vectors) of the register tile of a product.

        As many sums as leave room for one row of b and one value of a. Twelve or more keep two multiply-adders busy
        while each takes four cycles or so.
        """
        return {16: (6, 2), 32: (8, 2)}[self.registers]

    @property
    def panels(self) -> tuple[int, ...]:
        """How many vectors of filters a tile may take, best first: three leave no room in 16 registers."""
        return (2, 3, 1) if self.registers == 32 else (2, 1)

    @property
    def target(self) -> tuple[str, str]:
        """What LLVM is to write for: a processor's name, and features."""
        from llvmlite import binding

        if self.cpu:
            return self.cpu, ""
        return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


HOSTS = {
    host.name: host
    for host in (
        Host("avx512", width=16, registers=32, fused=True),
        Host("avx2", width=8, registers=16, fused=True, cpu="x86-64-v3"),
        Host("neon", width=4, registers=32, fused=True),
        Host("sse", width=4, registers=16, fused=False, cpu="x86-64"),
    )
}


@cache
def host() -> Host:
    """Return the widest vectors that the machine has, or those that the environment variable names.

    Raises ParameterError where the variable names none, or more than the machine has.
    """
    native = _native()
    wanted = os.environ.get(VARIABLE)
    if not wanted:
        return native
    narrower = [kind.name for kind in HOSTS.values() if kind.cpu and kind.width < native.width]
    if wanted not in (native.name, *narrower):
        usable = ", ".join((native.name, *narrower))
        raise ParameterError(f"The variable {VARIABLE} must be one of {usable} on this machine; got {wanted!r}.")
    return HOSTS[wanted]


def _native() -> Host:
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return HOSTS["avx512"]
    if features.get("avx2") and features.get("fma"):
        return HOSTS["avx2"]
    return HOSTS["neon" if features.get("neon") else "sse"]
