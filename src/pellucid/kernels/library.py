"""The compiled kernels of this process: found in the cache, or compiled now, and loaded."""

import os
import sys
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pellucid.kernels import cache as disk
from pellucid.kernels.compiler import Kernel, target_machine

_lock = threading.RLock()
_addresses: dict[str, int] = {}
_loaders: list[Any] = []  # they own the memory that the code lies in


def entry(kernel: Kernel) -> int:
    """Return the address of a kernel's machine code."""
    found = _addresses.get(kernel.name)
    if found is None:
        prepare([kernel])
        found = _addresses[kernel.name]
    return found


def prepare(kernels: Iterable[Kernel]) -> None:
    """Load kernels, compiling those that this machine has not met; a terminal sees one line of progress."""
    wanted = {kernel.name: kernel for kernel in kernels if kernel.name not in _addresses}
    if not wanted:
        return
    with _lock:
        code = {name: disk.read(kernel) for name, kernel in wanted.items() if name not in _addresses}
        missing = [name for name, found in code.items() if found is None]
        for number, name in enumerate(missing, 1):
            _report(f"\rPreparing the engine for this machine, once: {number} of {len(missing)} kernels")
            code[name] = compiled = wanted[name].compile()
            disk.write(wanted[name], compiled)
        if missing:
            _report("\r" + " " * 72 + "\r")
        for name, found in code.items():
            if found is not None:
                _load(name, found)


def _load(name: str, code: bytes) -> None:
    """Put machine code where it can run. Each kernel has a loader of its own: one that holds several overlays them."""
    from llvmlite import binding

    loader = binding.create_mcjit_compiler(binding.parse_assembly(""), target_machine())
    _loaders.append(loader)  # at once: a loader that is freed takes the target machine with it
    loader.add_object_file(binding.ObjectFileRef.from_data(code))
    loader.finalize_object()
    _addresses[name] = loader.get_function_address(name)


def _report(text: str) -> None:
    with suppress(OSError, ValueError):  # a terminal that is gone, a stream that is closed
        if sys.stderr is not None and sys.stderr.isatty():
            sys.stderr.write(text)
            sys.stderr.flush()


if hasattr(os, "register_at_fork"):  # whoever forks while another thread compiles waits: the compiler has locks, too
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
