"""From Python to machine code: what a kernel is, and how it is compiled.

A kernel is a Python function on pointers and numbers. It computes one part of its work; parts may run at the same
time, and none depends on another. In it stand calls of tiles, which are whole-vector code written in the language
of :mod:`pellucid.kernels.vector`, and of helpers. Numba compiles it once per machine; the machine code is kept on
disk, so that later neither Numba nor the source is needed.

Called from Python, each of the three simply runs, interpreted (:mod:`pellucid.kernels.interpret`).
"""

import inspect
from collections.abc import Callable
from functools import cache, cached_property
from types import CellType, FunctionType
from typing import Any

from pellucid.kernels.host import host
from pellucid.kernels.interpret import Bytes, Emitter, Floats, Longs

Parameters = tuple[type, ...]


class Tile:
    """A piece of code on vectors; see :func:`tile`."""

    def __init__(self, write: Callable[..., Any], returns: type | None = None) -> None:
        self.write, self.returns = write, returns

    def __call__(self, *arguments: Any) -> Any:
        """Run it, interpreted."""
        return self.write(Emitter(), *arguments)

    @cached_property
    def form(self) -> Any:
        """For Numba: an intrinsic whose code the emitter writes."""
        from numba.core import types
        from numba.extending import intrinsic

        from pellucid.kernels import vector

        write, result = self.write, types.void if self.returns is None else _numba_type(self.returns)

        def define(context: Any, *arguments: Any) -> Any:
            def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
                emitter = vector.Emitter(builder, host())
                answer = write(emitter, *map(_symbol, [emitter] * len(values), signature.args, values))
                return context.get_dummy_value() if answer is None else answer.value

            return result(*arguments), generate

        _set_arity(define, ["context", *list(inspect.signature(write).parameters)[1:]])
        define.__name__ = write.__name__
        return intrinsic(define)


class Helper:
    """A function that kernels call; see :func:`helper`."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, *arguments: Any) -> Any:
        """Run it, interpreted."""
        return self.function(*arguments)

    @cached_property
    def form(self) -> Any:
        """For Numba: a function compiled into its callers."""
        from numba import njit

        return njit(nogil=True, error_model="numpy")(_with_forms(self.function))


class Kernel:
    """A function (part, scratch, *arguments) that the engine runs; see :func:`kernel`."""

    def __init__(self, body: Callable[..., None], name: str) -> None:
        self.body, self.name = body, name
        parameters = list(inspect.signature(body).parameters.values())
        self.names = tuple(parameter.name for parameter in parameters[2:])
        self.parameters: Parameters = tuple(parameter.annotation for parameter in parameters[2:])
        self.__doc__ = body.__doc__

    def __call__(self, part: int, scratch: Floats, *arguments: Any) -> None:
        """Compute one part, interpreted."""
        self.body(part, scratch, *arguments)

    def __repr__(self) -> str:
        return f"<kernel {self.name}>"

    def compile(self) -> bytes:
        """Compile an entry (part, scratch, table of arguments) for this machine to an object file."""
        from numba import njit
        from numba.core import types

        _prepare_numba()
        body, unpack = njit(nogil=True, error_model="numpy")(_with_forms(self.body)), _unpacker(self.parameters)

        def entry(part, scratch, arguments):  # type: ignore[no-untyped-def]
            body(part, scratch, *unpack(arguments))

        signature = types.void(types.int64, _numba_type(Floats), _numba_type(Longs))
        options: dict[str, Any] = {
            "nogil": True,
            "error_model": "numpy",
            "no_cpython_wrapper": True,
            "no_cfunc_wrapper": True,
        }
        dispatcher = njit(signature, **options)(entry)
        overload: Any = next(iter(dispatcher.overloads.values()))
        return _object_code(overload.library.get_llvm_str(), overload.fndesc.llvm_func_name, self.name)


def tile(write: Callable[..., Any] | None = None, *, returns: type | None = None) -> Any:
    """Make a tile of ``write(emitter, *arguments)``: pointers, and integers or floats."""
    return Tile(write, returns) if write is not None else lambda function: Tile(function, returns)


def helper(function: Callable[..., Any]) -> Any:
    """Let kernels call a function."""
    return Helper(function)


def kernel(name: str) -> Callable[[Callable[..., None]], Kernel]:
    """Make a kernel; its name says what it computes and what it is specialised for."""
    return lambda body: Kernel(body, name)


def _symbol(emitter: Any, kind: Any, value: Any) -> Any:
    """Wrap an LLVM value as what the language computes with."""
    from numba.core import types

    from pellucid.kernels import vector

    if isinstance(kind, types.CPointer):
        return vector.Pointer(emitter, value)
    return vector.Int(emitter, value) if isinstance(kind, types.Integer) else value


def _form(value: Any) -> Any:
    return value.form if isinstance(value, Tile | Helper) else value


def _with_forms(function: Any) -> Any:
    """Copy a function, with tiles and helpers replaced by what Numba knows."""
    scope = dict(function.__globals__)
    scope |= {name: _form(scope[name]) for name in function.__code__.co_names if name in scope}
    closure = tuple(CellType(_form(cell.cell_contents)) for cell in function.__closure__ or ())
    return FunctionType(function.__code__, scope, function.__name__, function.__defaults__, closure)


def _set_arity(function: Any, names: list[str]) -> None:
    """Tell Numba, which reads it from the signature, how many arguments a function takes."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    function.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])


def _numba_type(kind: type) -> Any:
    from numba.core import types

    elements = {Floats: types.float32, Longs: types.int64, Bytes: types.uint8}
    if kind in elements:
        return types.CPointer(elements[kind])
    return {int: types.int64, float: types.float64}[kind]


def _unpacker(parameters: Parameters) -> Any:
    """Make a function that reads arguments of these types from a table of int64: addresses, numbers, bits."""
    from llvmlite import ir
    from numba.core import types
    from numba.extending import intrinsic

    kinds = types.Tuple([_numba_type(kind) for kind in parameters])

    def unpack(context: Any, table: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            items = []
            for number, kind in enumerate(kinds):
                place = builder.gep(values[0], [ir.IntType(64)(number)])
                item, wanted = builder.load(place), context.get_value_type(kind)
                if isinstance(kind, types.CPointer):
                    item = builder.inttoptr(item, wanted)
                items.append(builder.bitcast(item, wanted) if kind == types.float64 else item)
            return context.make_tuple(builder, kinds, items)

        return kinds(table), generate

    return intrinsic(unpack)


@cache
def _prepare_numba() -> None:
    """Let Numba add to pointers, and use no other instructions than the host's."""
    import operator

    from numba.core import config, types
    from numba.extending import intrinsic, overload

    @intrinsic
    def advance(context: Any, pointer: Any, offset: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.gep(values[0], [values[1]])

        return pointer(pointer, types.int64), generate

    @overload(operator.add)
    def add(pointer, offset):  # type: ignore[no-untyped-def]
        if isinstance(pointer, types.CPointer) and isinstance(offset, types.Integer):
            return lambda pointer, offset: advance(pointer, offset)  # type: ignore[call-arg]
        return None

    name, features = host().target
    vars(config).update(CPU_NAME=name, CPU_FEATURES=features)


def _object_code(text: str, entry: str, symbol: str) -> bytes:
    """Turn Numba's optimised LLVM module into an object file that offers one function, under the kernel's name.

    Everything else becomes private: Numba numbers its functions, and so gives the same name to different ones in
    two processes.
    """
    from llvmlite import binding

    module = binding.parse_assembly(text)
    for function in module.functions:
        if function.name == entry:
            function.name, function.linkage = symbol, "external"
        elif not function.is_declaration:
            function.linkage = "internal"
    for variable in module.global_variables:
        if not variable.is_declaration:
            variable.linkage = "internal"
    module.verify()
    code: bytes = target_machine().emit_object(module)
    return code


@cache
def target_machine() -> Any:
    """Describe the host to LLVM."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    name, features = host().target
    # Relocations of the large code model reach whatever the linker finds, wherever the code is put.
    return binding.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=3, reloc="pic", codemodel="jitdefault", jit=True
    )
