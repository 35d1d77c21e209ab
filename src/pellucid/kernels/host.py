"""The vectors of this machine: how wide, how many, and whether they multiply and add in one go."""

import os
from dataclasses import dataclass
from functools import cache

from pellucid.errors import ParameterError

VARIABLE = "PELLUCID_VECTOR"
"""Environment variable that names narrower vectors than the machine has, so that the fallback can be tested."""


@dataclass(frozen=True)
class Host:
    """A kind of vector: floats in one, registers of them, and whether there is a fused multiply-add."""

    name: str
    width: int
    registers: int
    fused: bool


HOSTS = {
    host.name: host
    for host in (
        Host("avx512", width=16, registers=32, fused=True),
        Host("avx2", width=8, registers=16, fused=True),
        Host("neon", width=4, registers=32, fused=True),
        Host("sse", width=4, registers=16, fused=False),
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
    if wanted not in HOSTS or HOSTS[wanted].width > native.width:
        usable = ", ".join(name for name, kind in HOSTS.items() if kind.width <= native.width)
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
